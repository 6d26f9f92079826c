//! Universal Binary JSON (ubjson.org, draft 12), as XGBoost writes it: to a value of JSON.

use serde_json::{Map, Number, Value};

use super::Unread;

/// Containers within containers.
const DEPTH_MAX: usize = 64;
/// Values of a file, all together.
const VALUES_MAX: usize = 1 << 26;

/// What is left of a file.
struct Rest<'a> {
    bytes: &'a [u8],
    at: usize,
    values: usize,
}

pub(super) fn read(bytes: &[u8]) -> Result<Value, Unread> {
    let mut rest = Rest {
        bytes,
        at: 0,
        values: 0,
    };
    let kind = rest.kind()?;
    rest.value(kind, 0)
}

impl Rest<'_> {
    fn blame(&self, what: impl Into<String>) -> Unread {
        Unread::new(what).within(format!("byte {}", self.at))
    }

    fn take<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], Unread> {
        let found = self.bytes[self.at..].first_chunk::<COUNT>().copied();
        let found = found.ok_or_else(|| self.blame("the file is cut off"))?;
        self.at += COUNT;
        Ok(found)
    }

    /// The letter of the next value; `N` says nothing.
    fn kind(&mut self) -> Result<u8, Unread> {
        loop {
            let [kind] = self.take()?;
            if kind != b'N' {
                return Ok(kind);
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn integer(&mut self, kind: u8) -> Result<i64, Unread> {
        Ok(match kind {
            b'i' => i64::from(i8::from_be_bytes(self.take()?)),
            b'U' => i64::from(u8::from_be_bytes(self.take()?)),
            b'I' => i64::from(i16::from_be_bytes(self.take()?)),
            b'l' => i64::from(i32::from_be_bytes(self.take()?)),
            b'L' => i64::from_be_bytes(self.take()?),
            _ => return Err(self.blame(format!("{:?} is no integer", char::from(kind)))),
        })
    }

    fn length(&mut self) -> Result<usize, Unread> {
        let kind = self.kind()?;
        let length = self.integer(kind)?;
        let length = usize::try_from(length).ok().filter(|x| *x <= VALUES_MAX);
        length.ok_or_else(|| self.blame(format!("a length is not from 0 to {VALUES_MAX}")))
    }

    fn text(&mut self) -> Result<String, Unread> {
        let length = self.length()?;
        let end = self.at + length;
        let found = self.bytes.get(self.at..end);
        let found = found.ok_or_else(|| self.blame("the file is cut off"))?;
        let text = str::from_utf8(found).map_err(|_| self.blame("this is no text"))?;
        self.at = end;
        Ok(text.to_owned())
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<Value, Unread> {
        self.values += 1;
        if depth > DEPTH_MAX || self.values > VALUES_MAX {
            return Err(self.blame("too many values, or within one another"));
        }
        let float = |x: f64| Number::from_f64(x).map_or(Value::Null, Value::Number);
        Ok(match kind {
            b'Z' => Value::Null,
            b'T' => Value::Bool(true),
            b'F' => Value::Bool(false),
            b'd' => float(f32::from_be_bytes(self.take()?).into()),
            b'D' => float(f64::from_be_bytes(self.take()?)),
            b'C' => Value::String(char::from(self.take::<1>()?[0]).to_string()),
            b'S' | b'H' => Value::String(self.text()?),
            b'[' => self.array(depth)?,
            b'{' => self.object(depth)?,
            _ => Value::Number(self.integer(kind)?.into()),
        })
    }

    /// What all values of a container are, and how many, if it says so.
    fn header(&mut self) -> Result<(Option<u8>, Option<usize>), Unread> {
        let mut kind = None;
        if self.peek() == Some(b'$') {
            self.at += 1;
            kind = Some(self.take::<1>()?[0]);
        }
        let mut count = None;
        if self.peek() == Some(b'#') {
            self.at += 1;
            count = Some(self.length()?);
        }
        if kind.is_some() && count.is_none() || matches!(kind, Some(b'Z' | b'T' | b'F' | b'N')) {
            // Those would be any number of values in no bytes.
            return Err(self.blame("values of one kind need a count, and bytes of their own"));
        }
        Ok((kind, count))
    }

    /// Whether a container goes on.
    fn goes_on(&mut self, found: usize, count: Option<usize>, end: u8) -> bool {
        if let Some(count) = count {
            return found < count;
        }
        let is_end = self.peek() == Some(end);
        self.at += usize::from(is_end);
        !is_end
    }

    fn array(&mut self, depth: usize) -> Result<Value, Unread> {
        let (kind, count) = self.header()?;
        let mut values = Vec::new();
        while self.goes_on(values.len(), count, b']') {
            let kind = kind.map_or_else(|| self.kind(), Ok)?;
            values.push(self.value(kind, depth + 1)?);
        }
        Ok(Value::Array(values))
    }

    fn object(&mut self, depth: usize) -> Result<Value, Unread> {
        let (kind, count) = self.header()?;
        let (mut values, mut found) = (Map::new(), 0);
        while self.goes_on(found, count, b'}') {
            let name = self.text()?;
            let kind = kind.map_or_else(|| self.kind(), Ok)?;
            let value = self.value(kind, depth + 1)?;
            values.insert(name, value);
            found += 1;
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_all_kinds() {
        let file = b"{i\x01a[$d#i\x02\x3f\x80\0\0\xbf\0\0\0i\x01b[NU\xffI\xff\xfel\0\x01\0\0TFZ]\
            i\x01c{#i\x01i\x01dSi\x02hii\x01eD\x3f\xf8\0\0\0\0\0\0i\x01fCx\
            i\x01gL\xff\xff\xff\xff\xff\xff\xff\xff}";
        let wanted = json!({
            "a": [1.0, -0.5], "b": [255, -2, 65_536, true, false, null], "c": {"d": "hi"},
            "e": 1.5, "f": "x", "g": -1,
        });
        assert_eq!(read(file), Ok(wanted));
        for end in 0..file.len() {
            let refused = read(&file[..end]).err();
            assert!(refused.is_some(), "cut at {end}");
        }
    }

    #[test]
    fn hostile_files_are_refused_in_time() {
        for file in [
            &b"[$Z#L\x7f\xff\xff\xff\xff\xff\xff\xff"[..],
            b"[$Z#i\x01",
            b"[$[#i\x7f",
            &[b'['; 1_000],
            b"[$d]",
            b"Si\xff",
            b"x",
        ] {
            assert!(read(file).is_err());
        }
    }
}
