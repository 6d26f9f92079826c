//! Threads that begin together: what a thread must ask of the system at its start (a core, its
//! place in the queue for one) it asks before anybody works, and what comes then is the last
//! moment at which the process may ask for such things.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};

/// Where threads wait for one another and for the word to begin.
pub(super) struct Muster {
    post: Post,
    arrivals: Receiver<Infallible>,
}

/// A thread's place in it. One that is dropped unused counts as taken.
#[derive(Clone)]
pub(super) struct Post {
    /// Nothing is ever sent: that the last sender is gone says that all are there.
    here: Sender<Infallible>,
    word: Arc<OnceLock<()>>,
}

impl Muster {
    pub(super) fn new() -> Self {
        let (here, arrivals) = channel();
        let word = Arc::default();
        Self {
            post: Post { here, word },
            arrivals,
        }
    }

    /// A place for a thread that is about to be started.
    pub(super) fn post(&self) -> Post {
        self.post.clone()
    }

    /// Waits until every place is taken, does what is to be done then, and gives the word to begin,
    /// whatever came of it.
    pub(super) fn begin<R>(self, act: impl FnOnce() -> R) -> R {
        let Self { post, arrivals } = self;
        drop(post.here);
        // Nothing can come but the end.
        while arrivals.recv().is_ok() {}
        let done = act();
        // Nobody else gives the word.
        let _ = post.word.set(());
        done
    }
}

impl Post {
    /// Takes the place, and waits for the word.
    pub(super) fn wait(self) {
        drop(self.here);
        self.word.wait();
    }
}
