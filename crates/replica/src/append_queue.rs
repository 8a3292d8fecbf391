//! The bounded FIFO in front of a log: whoever finds it idle drains it.

use std::collections::VecDeque;

use klamm_storage::{AppendError as LogAppendError, AppendInfo, AppendItem, LogAppender};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// What an append is answered with.
pub(crate) type AppendResult = Result<AppendInfo, LogAppendError>;

/// A change that needs the log for itself and may block on the disk.
pub(crate) type Exclusive = Box<dyn FnOnce(&mut LogAppender) + Send>;

/// Something that waits for its turn.
pub(crate) enum Job {
    /// Appends one batch.
    Append {
        item: AppendItem,
        answer: oneshot::Sender<AppendResult>,
        /// Returned when the batch has been dealt with: the queue's bound.
        permit: OwnedSemaphorePermit,
    },
    /// Anything else that changes the log.
    Exclusive(Exclusive),
}

/// Where the right to write is.
pub(crate) enum Writer {
    /// Nobody has opened the log yet.
    Unopened,
    /// Here for whoever comes next.
    Idle(Box<LogAppender>),
    /// Somebody drains the queue and will find what is pushed.
    Busy,
    /// The log is closed for good.
    Closed,
}

/// The jobs and the writer, under one short lock.
pub(crate) struct AppendQueue {
    pub jobs: VecDeque<Job>,
    pub writer: Writer,
    /// Who wants the writer for good; nothing is taken any more once somebody does.
    pub closing: Option<oneshot::Sender<Box<LogAppender>>>,
}

/// How far closing has come.
pub(crate) enum Closing {
    /// Closed; the writer if the log was open.
    Done(Option<Box<LogAppender>>),
    /// The writer comes when the queue is empty.
    Waiting(oneshot::Receiver<Box<LogAppender>>),
}

impl Default for AppendQueue {
    fn default() -> Self {
        Self { jobs: VecDeque::new(), writer: Writer::Unopened, closing: None }
    }
}

/// What a drain does next.
pub(crate) enum Next {
    /// One write for all of these.
    Appends(Vec<Job>),
    /// One change on its own.
    Exclusive(Exclusive),
}

/// Most batches that share one write.
const APPENDS_MAX: usize = 256;

impl AppendQueue {
    /// Takes the writer back when the queue is empty, for whoever closes or for whoever comes next.
    pub fn hand_back(&mut self, appender: Box<LogAppender>) {
        if matches!(self.writer, Writer::Closed) {
            return;
        }
        self.writer = match self.closing.take() {
            None => Writer::Idle(appender),
            Some(closing) => match closing.send(appender) {
                Ok(()) => Writer::Closed,
                // whoever wanted to close has gone
                Err(appender) => Writer::Idle(appender),
            },
        };
    }

    /// Closes for good, at once if nobody is writing.
    pub fn close(&mut self) -> Closing {
        match std::mem::replace(&mut self.writer, Writer::Closed) {
            Writer::Idle(appender) => Closing::Done(Some(appender)),
            Writer::Unopened | Writer::Closed => Closing::Done(None),
            Writer::Busy => {
                self.writer = Writer::Busy;
                let (closing, handed_over) = oneshot::channel();
                self.closing = Some(closing);
                Closing::Waiting(handed_over)
            }
        }
    }

    /// Takes the next job, or as many appends as stand in front; none if the queue is empty.
    pub fn next(&mut self) -> Option<Next> {
        match self.jobs.pop_front()? {
            Job::Exclusive(change) => Some(Next::Exclusive(change)),
            first @ Job::Append { .. } => {
                let mut appends = vec![first];
                while appends.len() < APPENDS_MAX
                    && matches!(self.jobs.front(), Some(Job::Append { .. }))
                {
                    appends.extend(self.jobs.pop_front());
                }
                Some(Next::Appends(appends))
            }
        }
    }
}
