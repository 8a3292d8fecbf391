//! What this node answers: one row per API, in the order of their keys.

use std::sync::Arc;

use klamm_protocol::{ApiKey, Decode, DecodeError, Reader};

use crate::apis::{
    alter_configs, api_versions, create_partitions, create_topics, delete_records, delete_topics,
    describe_cluster, describe_configs, describe_log_dirs, describe_producers,
    describe_topic_partitions, fetch, incremental_alter_configs, init_producer_id,
    list_config_resources, list_offsets, metadata, offset_for_leader_epoch, produce,
};
use crate::authorizer::AclOperation;
use crate::broker::Broker;
use crate::quota::ThrottleKind;
use crate::reply::Reply;
use crate::request_context::{ListenerKind, RequestContext};

/// Every API that this node answers, ascending by key. What is not here is not advertised, and a
/// request for it closes the connection.
pub const TABLE: &[ApiRow] = &[
    produce::ROW,
    fetch::ROW,
    list_offsets::ROW,
    metadata::ROW,
    api_versions::ROW,
    create_topics::ROW,
    delete_topics::ROW,
    delete_records::ROW,
    init_producer_id::ROW,
    offset_for_leader_epoch::ROW,
    describe_configs::ROW,
    alter_configs::ROW,
    describe_log_dirs::ROW,
    create_partitions::ROW,
    incremental_alter_configs::ROW,
    describe_cluster::ROW,
    describe_producers::ROW,
    list_config_resources::ROW,
    describe_topic_partitions::ROW,
];

/// Decodes the body and calls the typed handler.
///
/// # Errors
/// When the body is not what the version says; the connection is closed.
pub type Handle = fn(&Arc<Broker>, &RequestContext, Reader) -> Result<Reply, DecodeError>;

/// Which listeners an API is answered on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listeners {
    /// Ordinary listeners.
    Broker,
    /// Controller listeners.
    Controller,
    /// Both.
    Both,
}

impl Listeners {
    /// Whether a listener of this kind answers.
    pub const fn includes(self, kind: ListenerKind) -> bool {
        matches!(
            (self, kind),
            (Listeners::Both, _)
                | (Listeners::Broker, ListenerKind::Broker)
                | (Listeners::Controller, ListenerKind::Controller)
        )
    }
}

/// What right the dispatcher asks for before it calls the handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// None: everyone may (ApiVersions).
    Open,
    /// This operation on the cluster. Denied: the connection is closed, because a client that lacks
    /// a cluster right has no business here; an API with an error of its own asks by itself.
    Cluster(AclOperation),
    /// The handler asks, resource by resource (topics, groups, transactional ids).
    Handler,
}

/// How much memory an answer may take, so that a permit can be asked for before it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeClass {
    /// A few KiB, or bytes that are not in memory (Fetch's records are file slices): no permit.
    Small,
    /// Grows with topics, partitions or configs: needs a permit of the response pool.
    Large,
}

/// Whether the next request of the connection may run while this one waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// No: one at a time, as in Kafka.
    Never,
    /// Yes, once all changes are done: Produce waiting for acks.
    WhileWaiting,
}

/// One API: declared as `ROW` beside its handler.
#[derive(Debug, Clone, Copy)]
pub struct ApiRow {
    /// Which API.
    pub api_key: ApiKey,
    /// Lowest version that is accepted, inclusive.
    pub version_min: i16,
    /// Highest version that is accepted, inclusive.
    pub version_max: i16,
    /// Lowest version that ApiVersions tells; differs from `version_min` for Produce alone.
    pub version_min_advertised: i16,
    /// Where it is answered.
    pub listeners: Listeners,
    /// Which right the dispatcher asks for.
    pub access: Access,
    /// Which quota it counts against.
    pub throttle: ThrottleKind,
    /// How large its answers are.
    pub size_class: SizeClass,
    /// Whether a waiting answer lets the next request run.
    pub overlap: Overlap,
    /// Decode and handle.
    pub handle: Handle,
}

impl ApiRow {
    /// A row for ordinary listeners whose handler asks for rights itself, with the request quota
    /// and small answers. The range of versions is inclusive.
    pub const fn new(api_key: ApiKey, versions: (i16, i16), handle: Handle) -> ApiRow {
        ApiRow {
            api_key,
            version_min: versions.0,
            version_max: versions.1,
            version_min_advertised: versions.0,
            listeners: Listeners::Broker,
            access: Access::Handler,
            throttle: ThrottleKind::Request,
            size_class: SizeClass::Small,
            overlap: Overlap::Never,
            handle,
        }
    }

    /// Tells a lower minimum than is accepted (librdkafka looks for old Produce versions).
    pub const fn advertised_from(mut self, version: i16) -> ApiRow {
        self.version_min_advertised = version;
        self
    }

    /// Sets where it is answered.
    pub const fn listeners(mut self, listeners: Listeners) -> ApiRow {
        self.listeners = listeners;
        self
    }

    /// Sets the right the dispatcher asks for.
    pub const fn access(mut self, access: Access) -> ApiRow {
        self.access = access;
        self
    }

    /// Sets the quota it counts against.
    pub const fn throttle(mut self, throttle: ThrottleKind) -> ApiRow {
        self.throttle = throttle;
        self
    }

    /// Says that answers grow with topics, partitions or configs.
    pub const fn large(mut self) -> ApiRow {
        self.size_class = SizeClass::Large;
        self
    }

    /// Lets the next request run while an answer waits.
    pub const fn overlapping(mut self) -> ApiRow {
        self.overlap = Overlap::WhileWaiting;
        self
    }

    /// Whether a request in this version is answered.
    pub const fn accepts(&self, version: i16) -> bool {
        self.version_min <= version && version <= self.version_max
    }
}

/// Decodes a request and hands it to its handler; the body of every row's `handle`:
/// `|broker, ctx, body| decoded(ctx, body, |request| handle(broker, ctx, request))`.
///
/// # Errors
/// When the body is not what the version says.
pub fn decoded<R: Decode>(
    ctx: &RequestContext,
    mut body: Reader,
    handle: impl FnOnce(R) -> Reply,
) -> Result<Reply, DecodeError> {
    R::decode(&mut body, ctx.api_version).map(handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_ascend_and_their_ranges_are_ranges() {
        for pair in TABLE.windows(2) {
            assert!((pair[0].api_key as i16) < pair[1].api_key as i16);
        }
        for row in TABLE {
            assert!(row.version_min <= row.version_max, "{:?}", row.api_key);
            assert!(row.version_min_advertised <= row.version_min, "{:?}", row.api_key);
        }
    }
}
