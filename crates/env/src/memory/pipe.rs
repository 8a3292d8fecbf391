//! `Pipe`: one direction of an in-memory connection, bounded, with an optional delay.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// For so many bytes offered, how many (at least one) are taken as one piece, and how long that is under way.
pub(crate) type Weather = Box<dyn Fn(usize) -> (usize, Duration) + Send + Sync>;

/// Bytes from one writer to one reader. They arrive in order, each piece no earlier than its delay after it was written; the capacity counts bytes under way too.
pub(crate) struct Pipe {
    capacity: usize,
    weather: Option<Weather>,
    state: Mutex<State>,
    /// Told when the end of the stream, or a reset, may have become visible.
    end: Notify,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Piece>,
    buffered: usize,
    /// When the last piece arrives: nothing overtakes it.
    last_arrival: Option<Instant>,
    /// The writer is gone; the value is when the reader learns it.
    finished: Option<Arrival>,
    reader_gone: bool,
    reset: bool,
    /// The network is cut: the reader learns nothing, the writer only that the buffer is full.
    cut: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

struct Piece {
    arrival: Arrival,
    bytes: Vec<u8>,
    /// Bytes already read.
    read: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    Now,
    At(Instant),
}

/// What a reader finds.
pub(crate) enum ReadOutcome {
    /// So many bytes; 0 is the end of the stream.
    Bytes(usize),
    /// Nothing before then.
    NotBefore(Instant),
    Reset,
}

impl Pipe {
    pub(crate) fn new(capacity: usize, weather: Option<Weather>) -> Pipe {
        let state = Mutex::new(State::default());
        Pipe { capacity: capacity.max(1), weather, state, end: Notify::new() }
    }

    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<ReadOutcome> {
        let mut state = self.state.lock();
        if state.cut {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if state.reset {
            return Poll::Ready(ReadOutcome::Reset);
        }
        let next = state.pieces.front().map(|piece| piece.arrival).or(state.finished);
        match next {
            None => {
                state.reader = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Some(Arrival::At(at)) if at > Instant::now() => {
                // A reset or a cut may come first.
                state.reader = Some(cx.waker().clone());
                return Poll::Ready(ReadOutcome::NotBefore(at));
            }
            Some(_) => {}
        }
        let count = state.take(buffer);
        let writer = if count > 0 { state.writer.take() } else { None };
        drop(state);
        wake(writer);
        Poll::Ready(ReadOutcome::Bytes(count))
    }

    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.state.lock();
        if !state.cut && state.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if state.finished.is_some() || (!state.cut && state.reader_gone) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = bytes.len().min(self.capacity - state.buffered);
        if count == 0 && !bytes.is_empty() {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let (count, arrival) = self.dispatch(&mut state, count);
        if count > 0 {
            state.buffered += count;
            state.pieces.push_back(Piece { arrival, bytes: bytes[..count].to_vec(), read: 0 });
        }
        let reader = state.reader.take();
        drop(state);
        wake(reader);
        Poll::Ready(Ok(count))
    }

    /// How many of the bytes offered go as one piece, and when that arrives.
    fn dispatch(&self, state: &mut State, offered: usize) -> (usize, Arrival) {
        let Some(weather) = &self.weather else { return (offered, Arrival::Now) };
        let (taken, delay) = weather(offered);
        let wanted = Instant::now() + delay;
        let at = state.last_arrival.map_or(wanted, |last| last.max(wanted));
        state.last_arrival = Some(at);
        (taken, Arrival::At(at))
    }

    /// The writer is done: the reader gets what was written, then the end.
    pub(crate) fn finish(&self) {
        let mut state = self.state.lock();
        if state.finished.is_some() {
            return;
        }
        let (_, arrival) = self.dispatch(&mut state, 0);
        state.finished = Some(arrival);
        self.announce(state);
    }

    /// The reader is gone: the writer gets a broken pipe.
    pub(crate) fn abandon(&self) {
        let mut state = self.state.lock();
        state.reader_gone = true;
        self.announce(state);
    }

    /// Both sides get `ConnectionReset`; what was under way is lost.
    #[cfg(feature = "sim")]
    pub(crate) fn reset(&self) {
        let mut state = self.state.lock();
        state.reset = true;
        state.pieces.clear();
        state.buffered = 0;
        self.announce(state);
    }

    /// Holds back everything until [`Pipe::heal`].
    #[cfg(feature = "sim")]
    pub(crate) fn cut(&self) {
        self.state.lock().cut = true;
    }

    #[cfg(feature = "sim")]
    pub(crate) fn heal(&self) {
        let mut state = self.state.lock();
        state.cut = false;
        self.announce(state);
    }

    fn announce(&self, mut state: parking_lot::MutexGuard<'_, State>) {
        let wakers = [state.reader.take(), state.writer.take()];
        drop(state);
        wakers.into_iter().for_each(wake);
        self.end.notify_waiters();
    }

    /// Completes when the reader could learn that the writer is gone, were it to read everything. Cancel safe.
    pub(crate) async fn wait_finished(&self) {
        loop {
            let end = self.end.notified();
            tokio::pin!(end);
            end.as_mut().enable();
            let arrival = self.state.lock().end();
            match arrival {
                Some(Arrival::Now) => return,
                Some(Arrival::At(at)) if at <= Instant::now() => return,
                Some(Arrival::At(at)) => {
                    tokio::select! { biased; () = end => {}, () = tokio::time::sleep_until(at) => {} }
                }
                None => end.await,
            }
        }
    }
}

impl State {
    /// Copies what has arrived into the buffer.
    fn take(&mut self, buffer: &mut [u8]) -> usize {
        let mut filled = 0;
        while filled < buffer.len() {
            let Some(piece) = self.pieces.front_mut() else { break };
            if matches!(piece.arrival, Arrival::At(at) if at > Instant::now()) {
                break;
            }
            let rest = &piece.bytes[piece.read..];
            let count = rest.len().min(buffer.len() - filled);
            buffer[filled..filled + count].copy_from_slice(&rest[..count]);
            filled += count;
            piece.read += count;
            if piece.read == piece.bytes.len() {
                self.pieces.pop_front();
            }
        }
        self.buffered -= filled;
        filled
    }

    fn end(&self) -> Option<Arrival> {
        match (self.cut, self.reset) {
            (true, _) => None,
            (false, true) => Some(Arrival::Now),
            (false, false) => self.finished,
        }
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
