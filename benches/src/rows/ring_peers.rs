//! Published queues between two threads, each by the fastest way that its face offers for one
//! message and for a batch.

use bytemuck::Zeroable;
use disruptor::Producer as _;
use ringbuf::traits::{Consumer as _, Producer as _, Split as _};

use super::ring::{BATCH, Link, Message};
use crate::BenchError;

/// The crate `rtrb`: batches go through its chunks.
pub struct Rtrb;

impl Link for Rtrb {
    type Sender = rtrb::Producer<Message>;
    type Receiver = rtrb::Consumer<Message>;

    fn open(depth: usize) -> Result<(Self::Sender, Self::Receiver), BenchError> {
        Ok(rtrb::RingBuffer::new(depth))
    }

    fn send(to: &mut Self::Sender, messages: &[Message]) -> usize {
        if let [message] = messages {
            return usize::from(to.push(*message).is_ok());
        }
        let room = messages.len().min(to.slots());
        match to.write_chunk_uninit(room) {
            Ok(chunk) => chunk.fill_from_iter(messages.iter().copied()),
            Err(_) => 0,
        }
    }

    fn receive(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        let count = BATCH.min(from.slots());
        match from.read_chunk(count) {
            Ok(chunk) => chunk.into_iter().map(|message| on(&message)).count(),
            Err(_) => 0,
        }
    }

    fn receive_single(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        from.pop().iter().map(on).count()
    }
}

/// The crate `ringbuf`: batches go through its iterators.
pub struct Ringbuf;

impl Link for Ringbuf {
    type Sender = ringbuf::HeapProd<Message>;
    type Receiver = ringbuf::HeapCons<Message>;

    fn open(depth: usize) -> Result<(Self::Sender, Self::Receiver), BenchError> {
        Ok(ringbuf::HeapRb::new(depth).split())
    }

    fn send(to: &mut Self::Sender, messages: &[Message]) -> usize {
        if let [message] = messages {
            return usize::from(to.try_push(*message).is_ok());
        }
        to.push_slice(messages)
    }

    fn receive(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        let some = from.pop_iter().take(BATCH);
        some.map(|message| on(&message)).count()
    }

    fn receive_single(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        from.try_pop().iter().map(on).count()
    }
}

/// Slots of `heapless`, whose size is part of the type; it holds one message less.
const HEAPLESS_SLOTS: usize = 1_024;

/// The crate `heapless`: it has no batches.
pub struct Heapless;

impl Link for Heapless {
    type Sender = heapless::spsc::Producer<'static, Message>;
    type Receiver = heapless::spsc::Consumer<'static, Message>;

    fn open(depth: usize) -> Result<(Self::Sender, Self::Receiver), BenchError> {
        if depth != HEAPLESS_SLOTS {
            let what = format!("heapless is compared with {HEAPLESS_SLOTS} slots, not {depth}");
            return Err(BenchError::Request(what));
        }
        // Its two ends borrow the queue, which so must outlive both threads: 64 KiB a turn stay.
        let queue: &'static mut heapless::spsc::Queue<Message, HEAPLESS_SLOTS> =
            Box::leak(Box::default());
        Ok(queue.split())
    }

    fn send(to: &mut Self::Sender, messages: &[Message]) -> usize {
        messages
            .iter()
            .take_while(|message| to.enqueue(**message).is_ok())
            .count()
    }

    fn receive(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        let some = std::iter::from_fn(|| from.dequeue()).take(BATCH);
        some.map(|message| on(&message)).count()
    }
}

/// The crate `disruptor` with one producer and a poller.
pub struct Disruptor;

impl Link for Disruptor {
    type Sender = disruptor::SingleProducer<Message, disruptor::SingleConsumerBarrier>;
    type Receiver = disruptor::EventPoller<Message, disruptor::SingleProducerBarrier>;

    fn open(depth: usize) -> Result<(Self::Sender, Self::Receiver), BenchError> {
        let builder = disruptor::build_single_producer(depth, Message::zeroed, disruptor::BusySpin);
        let (poller, builder) = builder.new_event_poller();
        Ok((builder.build(), poller))
    }

    fn send(to: &mut Self::Sender, messages: &[Message]) -> usize {
        if let [message] = messages {
            return usize::from(to.try_publish(|slot| *slot = *message).is_ok());
        }
        let sent = to.try_batch_publish(messages.len(), |slots| {
            slots
                .zip(messages)
                .for_each(|(slot, message)| *slot = *message);
        });
        if sent.is_ok() { messages.len() } else { 0 }
    }

    fn receive(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        match from.take(BATCH as u64) {
            Ok(mut messages) => (&mut messages).map(on).count(),
            Err(_) => 0,
        }
    }

    fn receive_single(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        match from.take(1) {
            Ok(mut messages) => (&mut messages).map(on).count(),
            Err(_) => 0,
        }
    }
}

/// The crate `crossbeam-queue`: a bounded queue for many on both sides.
pub struct CrossbeamQueue;

impl Link for CrossbeamQueue {
    type Sender = std::sync::Arc<crossbeam_queue::ArrayQueue<Message>>;
    type Receiver = std::sync::Arc<crossbeam_queue::ArrayQueue<Message>>;

    fn open(depth: usize) -> Result<(Self::Sender, Self::Receiver), BenchError> {
        let queue = std::sync::Arc::new(crossbeam_queue::ArrayQueue::new(depth));
        Ok((std::sync::Arc::clone(&queue), queue))
    }

    fn send(to: &mut Self::Sender, messages: &[Message]) -> usize {
        messages
            .iter()
            .take_while(|message| to.push(**message).is_ok())
            .count()
    }

    fn receive(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        let some = std::iter::from_fn(|| from.pop()).take(BATCH);
        some.map(|message| on(&message)).count()
    }
}

/// The crate `crossbeam-channel`, bounded.
pub struct CrossbeamChannel;

impl Link for CrossbeamChannel {
    type Sender = crossbeam_channel::Sender<Message>;
    type Receiver = crossbeam_channel::Receiver<Message>;

    fn open(depth: usize) -> Result<(Self::Sender, Self::Receiver), BenchError> {
        Ok(crossbeam_channel::bounded(depth))
    }

    fn send(to: &mut Self::Sender, messages: &[Message]) -> usize {
        messages
            .iter()
            .take_while(|message| to.try_send(**message).is_ok())
            .count()
    }

    fn receive(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        let some = from.try_iter().take(BATCH);
        some.map(|message| on(&message)).count()
    }
}
