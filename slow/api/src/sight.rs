//! How far the tables are that an answer comes from: who says it with his next question reads
//! nothing that is older, whichever server answers that.
//!
//! It is a position of the log of the server that is written (`docs/store.md`). A header tells it
//! with each answer, and one asks for it; by gRPC both are metadata.

use crate::answer::{Answer, Refusal};
use axum::http::{HeaderMap, HeaderValue};
use store::Position;
use tonic::metadata::MetadataValue;

/// What the answer must be behind.
pub(crate) const AFTER: &str = "x-wirecross-after";

/// What it is behind.
pub(crate) const POSITION: &str = "x-wirecross-position";

/// How far the tables are to be, and how far those were that answered.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    after: Option<Position>,
    found: Option<Position>,
}

impl Sight {
    /// What a request asks for.
    ///
    /// # Errors
    /// It is no position.
    pub(crate) fn asked(headers: &HeaderMap) -> Result<Self, Refusal> {
        let Some(after) = headers.get(AFTER) else {
            return Ok(Self::default());
        };
        let read = after.to_str().ok().and_then(|text| text.parse().ok());
        let told = || {
            let words = format!("{AFTER}: what an answer's {POSITION} told, as 16/B374D848");
            Refusal::Bad(words)
        };
        Ok(Self {
            after: Some(read.ok_or_else(told)?),
            found: None,
        })
    }

    /// What a read must be behind.
    pub(crate) const fn after(&self) -> Option<Position> {
        self.after
    }

    /// Notes what a read was behind; of several the furthest counts.
    pub(crate) fn saw(&mut self, position: Option<Position>) {
        self.found = self.found.max(position);
    }

    /// The answer, which tells how far the tables were, if somebody follows them.
    pub(crate) fn told(&self, mut answer: Answer) -> Answer {
        let value = self.words();
        if let Some(value) = value.and_then(|it| HeaderValue::try_from(it).ok()) {
            answer.headers_mut().insert(POSITION, value);
        }
        answer
    }

    /// The same by gRPC, as metadata.
    pub(crate) fn told_by_grpc<T>(&self, message: T) -> tonic::Response<T> {
        let mut answer = tonic::Response::new(message);
        let value = self.words();
        if let Some(value) = value.and_then(|it| MetadataValue::try_from(it).ok()) {
            answer.metadata_mut().insert(POSITION, value);
        }
        answer
    }

    fn words(&self) -> Option<String> {
        self.found.map(|it| it.to_string())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::answer::json_answer;

    #[test]
    fn the_furthest_is_told_and_nonsense_refused() {
        let mut headers = HeaderMap::new();
        let mut sight = Sight::asked(&headers).unwrap();
        assert_eq!(sight.after(), None);
        let position = |text: &str| text.parse::<Position>().ok();
        for found in [
            None,
            position("0/20"),
            position("1/0"),
            position("0/30"),
            None,
        ] {
            sight.saw(found);
        }
        let answer = sight.told(json_answer(Vec::new()));
        assert_eq!(answer.headers()[POSITION], "1/0");
        let answer = sight.told_by_grpc(());
        assert_eq!(answer.metadata().get(POSITION).unwrap(), "1/0");
        headers.insert(AFTER, HeaderValue::from_static("1/0"));
        assert_eq!(Sight::asked(&headers).unwrap().after(), position("1/0"));
        headers.insert(AFTER, HeaderValue::from_static("yesterday"));
        let refused = Sight::asked(&headers).unwrap_err().words();
        assert!(
            refused.contains(AFTER) && refused.contains("16/B374D848"),
            "{refused}"
        );
    }
}
