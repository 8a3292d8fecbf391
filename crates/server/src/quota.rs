//! How long must this client wait? Asked for every API; says not at all until the quota issue.

use std::time::Duration;

use crate::request_context::RequestContext;

/// Which of Kafka's client quotas a request counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleKind {
    /// The request percentage alone.
    Request,
    /// `producer_byte_rate` and the request percentage.
    Produce,
    /// `consumer_byte_rate` and the request percentage.
    Fetch,
    /// `controller_mutation_rate` and the request percentage.
    ControllerMutation,
    /// None (ApiVersions, inter-broker traffic).
    Exempt,
}

/// What one finished request has used.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Request bytes.
    pub request_bytes: u64,
    /// Time from the last request byte to the finished answer.
    pub elapsed: Duration,
}

/// Who measures.
#[derive(Debug, Clone, Default)]
pub enum Quota {
    /// No quota is configured.
    #[default]
    Unlimited,
    /// Every answer mutes its connection for so long; for tests of the network.
    #[cfg(test)]
    Always(Duration),
}

impl Quota {
    /// Records the use and says how long the connection is muted after the answer: the answer
    /// leaves at once and carries the time in `throttle_time_ms` (KIP-219).
    pub fn throttle(&self, _ctx: &RequestContext, kind: ThrottleKind, _usage: Usage) -> Duration {
        match (self, kind) {
            (Quota::Unlimited, _) => Duration::ZERO,
            #[cfg(test)]
            (Quota::Always(_), ThrottleKind::Exempt) => Duration::ZERO,
            #[cfg(test)]
            (Quota::Always(delay), _) => *delay,
        }
    }
}
