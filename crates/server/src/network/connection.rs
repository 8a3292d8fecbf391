//! One connection: requests in order, responses in order, waits that end with the client.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use klamm_env::{Clock, Stream, TaskScope};
use tokio::time::Instant;

use crate::apis::dispatcher::{self, DispatchError, FinishError};
use crate::apis::table::{ApiRow, Overlap, SizeClass};
use crate::broker::Broker;
use crate::network::byte_pool::{BytePermit, BytePool};
use crate::network::frame_reader::{FrameReader, ReadEnd};
use crate::network::limits::{
    ConnectionLimits, LARGE_RESPONSE_RESERVE_BYTES, WAITING_RESPONSES_MAX,
};
use crate::network::metrics::NetworkMetrics;
use crate::network::receive_buffers::ReceiveBuffers;
use crate::network::response_writer::{WriteError, write_pieces};
use crate::reply::{BoxFuture, CloseReason, Reply, Response};
use crate::request_context::{Connection, RequestContext};

/// What all connections of a node share.
#[derive(Debug)]
pub struct ConnectionShared {
    /// What handlers work on.
    pub broker: Arc<Broker>,
    /// Time.
    pub clock: Clock,
    /// Connection memory.
    pub buffers: ReceiveBuffers,
    /// Permits for request bytes beyond connection memory.
    pub request_bytes: BytePool,
    /// Permits for responses built in memory.
    pub response_bytes: BytePool,
    /// Bounds.
    pub limits: ConnectionLimits,
    /// Counts.
    pub metrics: NetworkMetrics,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionEnd {
    /// No further frame.
    #[error(transparent)]
    Read(#[from] ReadEnd),
    /// A response did not get out.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The request cannot be answered.
    #[error(transparent)]
    Dispatch(#[from] DispatchError),
    /// The response cannot be said.
    #[error(transparent)]
    Finish(#[from] FinishError),
    /// The handler wants it closed.
    #[error("{0}")]
    Handler(CloseReason),
    /// The client went away while answers were due.
    #[error("closed by the client")]
    Lost,
    /// The node stops.
    #[error("the node is stopping")]
    Stopping,
}

impl ConnectionEnd {
    /// Whether it deserves a line in the log: a fault of the client's or ours, not a goodbye.
    pub fn is_fault(&self) -> bool {
        match self {
            ConnectionEnd::Read(end) => end.is_fault(),
            ConnectionEnd::Write(WriteError::Stalled) => true,
            ConnectionEnd::Dispatch(_) | ConnectionEnd::Finish(_) | ConnectionEnd::Handler(_) => {
                true
            }
            ConnectionEnd::Write(WriteError::Io(_))
            | ConnectionEnd::Lost
            | ConnectionEnd::Stopping => false,
        }
    }
}

/// The task of one connection.
pub struct ConnectionTask {
    shared: Arc<ConnectionShared>,
    connection: Arc<Connection>,
    stream: Stream,
    reader: FrameReader,
    /// Answers that are due, in request order.
    waiting: VecDeque<(InFlight, Answer)>,
    /// The request that is changing something; nothing is read while it does.
    working: Option<(InFlight, BoxFuture<Reply>)>,
    /// Whether the last of `waiting` must be answered before the next request is read.
    one_at_a_time: bool,
    muted_until: Option<Instant>,
    stopping: bool,
}

/// A request on its way to its answer.
struct InFlight {
    ctx: RequestContext,
    row: &'static ApiRow,
    permit: Option<BytePermit>,
}

enum Answer {
    Ready(Option<Response>),
    Wait(BoxFuture<Response>),
}

enum Event {
    Answered(Response),
    Worked(Reply),
    Frame(Bytes),
    Unmuted,
    Stop,
    End(ConnectionEnd),
}

impl ConnectionTask {
    /// A connection that has just been accepted.
    pub fn new(shared: Arc<ConnectionShared>, connection: Connection, stream: Stream) -> Self {
        let reader =
            FrameReader::new(shared.buffers.clone(), shared.request_bytes.clone(), &shared.limits);
        ConnectionTask {
            shared,
            connection: Arc::new(connection),
            stream,
            reader,
            waiting: VecDeque::new(),
            working: None,
            one_at_a_time: false,
            muted_until: None,
            stopping: false,
        }
    }

    /// Serves requests until the connection ends, then finishes what may not be cut short.
    pub async fn run(mut self, scope: TaskScope) -> ConnectionEnd {
        let end = self.serve(&scope).await;
        self.waiting.clear();
        if let Some((_, work)) = self.working.take() {
            // A change that has begun is carried to its end; nobody is left to hear of it.
            let _reply = work.await;
        }
        if end.is_fault() {
            let connection = &self.connection;
            tracing::warn!(
                peer = %connection.peer,
                listener = %connection.listener.name,
                client = %connection.software().name,
                reason = %end,
                "closed a connection"
            );
        } else {
            tracing::debug!(peer = %self.connection.peer, reason = %end, "connection ended");
        }
        self.shared.metrics.connection_ended(&end);
        end
    }

    async fn serve(&mut self, scope: &TaskScope) -> ConnectionEnd {
        let mut stop = std::pin::pin!(scope.cancelled());
        loop {
            self.stopping = self.stopping || scope.is_cancelled();
            if self.stopping && self.waiting.is_empty() && self.working.is_none() {
                return ConnectionEnd::Stopping;
            }
            let done = match self.next_event(stop.as_mut()).await {
                Event::Answered(response) => self.answer_front(response).await,
                Event::Worked(reply) => self.worked(reply).await,
                Event::Frame(frame) => self.take_request(frame).await,
                Event::Unmuted => {
                    self.muted_until = None;
                    Ok(())
                }
                Event::Stop => {
                    self.stopping = true;
                    Ok(())
                }
                Event::End(end) => Err(end),
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    async fn next_event(&mut self, stop: Pin<&mut impl Future<Output = ()>>) -> Event {
        let clock = &self.shared.clock;
        let may_read = self.working.is_none()
            && !self.one_at_a_time
            && !self.stopping
            && self.muted_until.is_none()
            && self.waiting.len() < WAITING_RESPONSES_MAX;
        // A change is not cut short, and what was sent behind it before the client went counts as well (`acks=0`); so only a
        // wait ends with the client.
        let only_waits = self.working.is_none() && !self.waiting.is_empty();
        let ConnectionTask { stream, reader, waiting, working, muted_until, .. } = self;
        let incoming = async {
            if may_read {
                match reader.next(stream, clock).await {
                    Ok(frame) => Event::Frame(frame),
                    Err(end) => Event::End(end.into()),
                }
            } else if only_waits {
                stream.wait_closed().await;
                Event::End(ConnectionEnd::Lost)
            } else {
                std::future::pending().await
            }
        };
        tokio::select! {
            biased;
            response = front_answer(waiting), if !waiting.is_empty() => Event::Answered(response),
            reply = working_reply(working), if working.is_some() => Event::Worked(reply),
            event = incoming => event,
            () = unmuted(clock, *muted_until), if muted_until.is_some() => Event::Unmuted,
            () = stop, if !self.stopping => Event::Stop,
        }
    }

    async fn take_request(&mut self, frame: Bytes) -> Result<(), ConnectionEnd> {
        let shared = Arc::clone(&self.shared);
        let received_at = shared.clock.now();
        shared.metrics.received(&self.connection.listener, frame.len() + 4);
        let request =
            dispatcher::read_request(&shared.broker, &self.connection, frame, received_at)?;
        let permit = match request.row.size_class {
            SizeClass::Small => None,
            SizeClass::Large => Some(self.response_permit().await?),
        };
        let (ctx, row, reply) = request.handle(&shared.broker)?;
        self.reply(InFlight { ctx, row, permit }, reply).await
    }

    /// Waits for a piece of the response pool, but not for a client that is gone.
    async fn response_permit(&mut self) -> Result<BytePermit, ConnectionEnd> {
        let stream = &mut self.stream;
        tokio::select! {
            biased;
            permit = self.shared.response_bytes.acquire(LARGE_RESPONSE_RESERVE_BYTES) => Ok(permit),
            () = stream.wait_closed() => Err(ConnectionEnd::Lost),
        }
    }

    async fn worked(&mut self, reply: Reply) -> Result<(), ConnectionEnd> {
        match self.working.take() {
            Some((in_flight, _done)) => self.reply(in_flight, reply).await,
            None => Ok(()),
        }
    }

    async fn reply(&mut self, in_flight: InFlight, reply: Reply) -> Result<(), ConnectionEnd> {
        match reply {
            Reply::Now(response) if self.waiting.is_empty() => self.send(in_flight, response).await,
            Reply::Now(response) => {
                self.waiting.push_back((in_flight, Answer::Ready(Some(response))));
                Ok(())
            }
            Reply::Later(wait) => {
                self.one_at_a_time = in_flight.row.overlap == Overlap::Never;
                self.waiting.push_back((in_flight, Answer::Wait(wait)));
                Ok(())
            }
            Reply::Working(work) => {
                self.working = Some((in_flight, work));
                Ok(())
            }
            Reply::None => {
                self.shared.metrics.answered(&in_flight.ctx, self.shared.clock.now(), 0);
                Ok(())
            }
            Reply::Close(reason) => Err(ConnectionEnd::Handler(reason)),
        }
    }

    async fn answer_front(&mut self, response: Response) -> Result<(), ConnectionEnd> {
        let Some((in_flight, _done)) = self.waiting.pop_front() else { return Ok(()) };
        if self.waiting.is_empty() {
            self.one_at_a_time = false;
        }
        self.send(in_flight, response).await
    }

    async fn send(&mut self, in_flight: InFlight, response: Response) -> Result<(), ConnectionEnd> {
        let shared = &self.shared;
        let InFlight { ctx, row, permit } = in_flight;
        let now = shared.clock.now();
        let error = response.error();
        let outgoing = dispatcher::finish(&shared.broker, &ctx, row, response, now)?;
        let _rest = permit.as_ref().and_then(|_| self.more_response_bytes(outgoing.size_bytes));
        shared.metrics.error(&ctx, error);
        write_pieces(&mut self.stream, &shared.clock, outgoing.pieces, shared.limits.stall_max)
            .await?;
        let sent_at = shared.clock.now();
        shared.metrics.answered(&ctx, sent_at, outgoing.size_bytes);
        if outgoing.mute > Duration::ZERO {
            self.muted_until = Some(sent_at + outgoing.mute);
        }
        Ok(())
    }

    /// Counts an answer that turned out larger than its reserve against the pool, if there is room;
    /// it is in memory already, so it is sent in any case and the overdraft counted.
    fn more_response_bytes(&self, size_bytes: u64) -> Option<BytePermit> {
        let more = size_bytes.saturating_sub(u64::from(LARGE_RESPONSE_RESERVE_BYTES));
        if more == 0 {
            return None;
        }
        let permit =
            self.shared.response_bytes.try_acquire(u32::try_from(more).unwrap_or(u32::MAX));
        if permit.is_none() {
            self.shared.metrics.response_overdraft();
        }
        permit
    }
}

/// Polls the first answer that is due; later ones are passive waits and can stay unpolled.
async fn front_answer(waiting: &mut VecDeque<(InFlight, Answer)>) -> Response {
    poll_fn(|cx| match waiting.front_mut() {
        Some((_, Answer::Ready(response))) => match response.take() {
            Some(response) => Poll::Ready(response),
            None => Poll::Pending,
        },
        Some((_, Answer::Wait(wait))) => wait.as_mut().poll(cx),
        None => Poll::Pending,
    })
    .await
}

async fn working_reply(working: &mut Option<(InFlight, BoxFuture<Reply>)>) -> Reply {
    match working {
        Some((_, work)) => work.as_mut().await,
        None => std::future::pending().await,
    }
}

async fn unmuted(clock: &Clock, until: Option<Instant>) {
    if let Some(until) = until {
        clock.sleep_until(until).await;
    }
}
