//! The commands of `wirecross quant`, computed on threads of their own: what is computed waits for
//! nobody, and nobody who reads waits for it.
//!
//! An answer is that of the command line for the same input: it is the same function. A body's
//! limit bounds what comes in, `answer_kib` what goes out, and `request_s` how long it may take:
//! who is gone by then takes the word along that stops the work.

use crate::answer::Refusal;
use crate::config::Limits;
use crate::unharmed;
use calculator::{Stop, Unanswered, ask};
use serde_json::{Map, Value};
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use tokio::sync::oneshot;

/// Requests that may wait for a thread, for each of them.
const WAITING_MAX: usize = 8;

/// What a thread is asked.
struct Job {
    command: &'static str,
    params: Map<String, Value>,
    bytes_max: usize,
    stop: Stop,
    reply: oneshot::Sender<Result<Vec<u8>, Refusal>>,
}

/// The way to the threads.
#[derive(Clone, Debug)]
pub(crate) struct Quant {
    jobs: SyncSender<Job>,
}

/// Stops the work when nobody waits for it any more.
struct Waiting(Stop);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Quant {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system has none.
    pub(crate) fn start(limits: &Limits) -> io::Result<Self> {
        let (jobs, queue) = sync_channel(limits.calculators * WAITING_MAX);
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..limits.calculators {
            let queue = Arc::clone(&queue);
            let named = Builder::new().name(format!("api-quant-{number}"));
            named.spawn(move || serve(&queue, computed))?;
        }
        Ok(Self { jobs })
    }

    /// What a command says of parameters, as JSON.
    pub(crate) async fn ask(
        &self,
        command: &'static str,
        params: Map<String, Value>,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Refusal> {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting(Stop::default());
        let job = Job {
            command,
            params,
            bytes_max,
            stop: waiting.0.clone(),
            reply,
        };
        match self.jobs.try_send(job) {
            Err(TrySendError::Full(_)) => return Err(Refusal::TooMany(1_000)),
            Err(TrySendError::Disconnected(_)) => return Err(gone()),
            Ok(()) => {}
        }
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn gone() -> Refusal {
    Refusal::Unavailable("no thread computes any more: restart wirecross-api".to_owned())
}

fn serve(queue: &Mutex<Receiver<Job>>, computed: fn(&Job) -> Result<Vec<u8>, Refusal>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // Who is gone while it waited wants nothing.
        if job.reply.is_closed() {
            continue;
        }
        let answer = unharmed::done(job.command, || computed(&job));
        let _ = job.reply.send(answer);
    }
}

fn computed(job: &Job) -> Result<Vec<u8>, Refusal> {
    let answer = ask(job.command, &job.params, &job.stop).map_err(|why| match why {
        Unanswered::Refused(what) => Refusal::Bad(what),
        Unanswered::Stopped => Refusal::Slow,
    })?;
    let bytes = answer.to_string().into_bytes();
    if bytes.len() > job.bytes_max {
        let kib = job.bytes_max / 1_024;
        return Err(Refusal::TooLarge(format!(
            "the answer has more than {kib} KiB: ask for less at once"
        )));
    }
    Ok(bytes)
}

/// The parameters in a body, by name.
pub(crate) fn params_in(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(params)) => Ok(params),
        Ok(_) => Err(Refusal::Bad(
            "the body is an object of names and values".to_owned(),
        )),
        Err(error) => Err(Refusal::Bad(format!("the body is no JSON: {error}"))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_its_request_and_not_the_thread() {
        let (jobs, queue) = sync_channel(2);
        let mut answers = Vec::new();
        for command in ["broken", "right"] {
            let (reply, answer) = oneshot::channel();
            let (params, stop) = (Map::new(), Stop::default());
            jobs.send(Job {
                command,
                params,
                bytes_max: 1,
                stop,
                reply,
            })
            .unwrap();
            answers.push(answer);
        }
        drop(jobs);
        let before = unharmed::panics();
        serve(&Mutex::new(queue), |job| {
            assert_ne!(job.command, "broken", "a fault");
            Ok(vec![1])
        });
        let answers: Vec<_> = answers
            .iter_mut()
            .map(|it| it.try_recv().unwrap())
            .collect();
        assert_eq!(answers, [Err(Refusal::Internal), Ok(vec![1])]);
        assert_eq!(unharmed::panics(), before + 1);
    }
}
