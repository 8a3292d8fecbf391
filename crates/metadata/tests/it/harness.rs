//! A controller with the log it would write, told as text.

use crate::schema::schema;
use klamm_metadata::controller::{bootstrap_records, supported_features};
use klamm_metadata::records::MetadataRecord;
use klamm_metadata::{
    Controller, ControllerConfig, ControllerContext, ControllerResult, MetadataDelta,
    MetadataImage, MetadataVersion,
};
use klamm_protocol::messages::broker_heartbeat_request::BrokerHeartbeatRequest;
use klamm_protocol::messages::broker_heartbeat_response::BrokerHeartbeatResponse;
use klamm_protocol::messages::broker_registration_request as registration;
use klamm_protocol::messages::broker_registration_response::BrokerRegistrationResponse;
use klamm_protocol::{ErrorCode, Str};
use klamm_record::{BrokerId, Offset, Uuid};
use std::fmt::Write as _;
use std::sync::Arc;

pub const SESSION_MS: i64 = 9_000;

pub struct Cluster {
    pub controller: Controller,
    /// Built from deltas alone; must equal the controller's at every step.
    pub image: MetadataImage,
    pub now_ms: i64,
    pub out: String,
    next_offset: i64,
    seed: u64,
}

impl Cluster {
    /// An active controller with the bootstrap records of this level in its log.
    pub fn at(version: MetadataVersion) -> Self {
        let config = ControllerConfig {
            node_id: BrokerId(1),
            cluster_id: "the-cluster".to_owned(),
            default_num_partitions: 1,
            default_replication_factor: 1,
            session_timeout_ms: SESSION_MS,
            schema: schema(),
            static_configs: [("log.retention.hours", "2"), ("node.id", "1")]
                .into_iter()
                .map(|(name, value)| (Arc::from(name), Arc::from(value)))
                .collect(),
        };
        let mut cluster = Self {
            controller: Controller::new(config),
            image: MetadataImage::empty(),
            now_ms: 1_000_000,
            out: String::new(),
            next_offset: 0,
            seed: 7,
        };
        let ctx = cluster.ctx();
        cluster.controller.activate(&ctx);
        let records = cluster.controller.activation_records(&bootstrap_records(version));
        cluster.append(records.expect("the bootstrap records name a version"));
        cluster
    }

    pub fn new() -> Self {
        Self::at(MetadataVersion::LATEST_PRODUCTION)
    }

    /// With these brokers registered and unfenced; says nothing.
    pub fn with_brokers(ids: &[i32]) -> Self {
        let mut cluster = Self::new();
        for id in ids {
            cluster.start_broker(*id);
        }
        cluster.out.clear();
        cluster
    }

    pub fn ctx(&mut self) -> ControllerContext {
        self.seed += 1;
        ControllerContext::new(self.now_ms, Offset(self.next_offset), self.seed)
    }

    pub fn title(&mut self, title: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        writeln!(self.out, "# {title}").unwrap();
    }

    pub fn say(&mut self, line: impl AsRef<str>) {
        writeln!(self.out, "{}", line.as_ref()).unwrap();
    }

    /// Appends, replays and commits what an operation wrote, tells it, and gives the response.
    pub fn append<T>(&mut self, result: ControllerResult<T>) -> T {
        let mut delta = MetadataDelta::new(&self.image);
        for record in &result.records {
            let line = crate::describe::record(record, &self.controller.image().topics);
            self.say(format!("  {} {line}", self.next_offset));
            let version = self.image.features.metadata_version;
            let version = version.unwrap_or(MetadataVersion::LATEST_PRODUCTION);
            let bytes = record.encode(version.record_version(record)).expect("a record encodes");
            assert_eq!(&MetadataRecord::decode(bytes).unwrap(), record, "written and read");
            self.controller.replay(record, Offset(self.next_offset)).unwrap();
            delta.replay(record).unwrap();
            self.next_offset += 1;
        }
        if !result.records.is_empty() {
            self.controller.end_append(Offset(self.next_offset - 1));
            self.controller.commit(Offset(self.next_offset - 1));
            assert!(!delta.in_transaction());
            self.image = delta.apply(self.image.provenance);
        }
        assert_eq!(&self.image, self.controller.image(), "deltas and controller agree");
        assert_eq!(&self.image, self.controller.committed_image());
        result.response
    }

    pub fn end_offset(&self) -> i64 {
        self.next_offset - 1
    }

    pub fn registration(id: i32, incarnation: u64) -> registration::BrokerRegistrationRequest {
        let features =
            supported_features().into_iter().map(|(name, range)| registration::Feature {
                name: Str::from(name),
                min_supported_version: range.min,
                max_supported_version: range.max,
            });
        registration::BrokerRegistrationRequest {
            broker_id: id,
            cluster_id: Str::from("the-cluster"),
            incarnation_id: Uuid::from_parts(id as u64, incarnation),
            listeners: vec![registration::Listener {
                name: Str::from("PLAINTEXT"),
                host: Str::from("localhost"),
                port: 9092,
                security_protocol: 0,
            }],
            features: features.collect(),
            log_dirs: vec![Uuid::from_parts(1000, id as u64)],
            ..registration::BrokerRegistrationRequest::default()
        }
    }

    pub fn register(
        &mut self,
        request: &registration::BrokerRegistrationRequest,
    ) -> BrokerRegistrationResponse {
        let ctx = self.ctx();
        let result = self.controller.register_broker(&ctx, request);
        let response = self.append(result);
        let error = ErrorCode::from_code(response.error_code);
        self.say(format!("  -> {error} broker epoch {}", response.broker_epoch));
        response
    }

    pub fn epoch_of(&self, id: i32) -> i64 {
        self.image.cluster.broker(BrokerId(id)).map_or(-1, |broker| broker.epoch)
    }

    /// A heartbeat of a broker that has read the whole log.
    pub fn heartbeat(
        &mut self,
        id: i32,
        change: impl Fn(&mut BrokerHeartbeatRequest),
    ) -> BrokerHeartbeatResponse {
        let mut request = BrokerHeartbeatRequest {
            broker_id: id,
            broker_epoch: self.epoch_of(id),
            current_metadata_offset: self.end_offset(),
            ..BrokerHeartbeatRequest::default()
        };
        change(&mut request);
        let ctx = self.ctx();
        let result = self.controller.broker_heartbeat(&ctx, &request);
        let response = self.append(result);
        if self.controller.is_in_controlled_shutdown(BrokerId(id)) {
            let end = Offset(self.end_offset());
            self.controller.controlled_shutdown_appended(BrokerId(id), end);
        }
        let error = ErrorCode::from_code(response.error_code);
        self.say(format!(
            "  -> {error} caught up {} fenced {} should shut down {}",
            response.is_caught_up, response.is_fenced, response.should_shut_down
        ));
        response
    }

    pub fn start_broker(&mut self, id: i32) {
        let offset = self.end_offset() as u64;
        self.register(&Self::registration(id, offset + 10));
        self.heartbeat(id, |_| {});
    }

    /// All partitions as they are now.
    pub fn say_partitions(&mut self) {
        let image = self.image.clone();
        for topic in image.topics.iter_by_name() {
            for (partition, registration) in &topic.partitions {
                let text = crate::describe::partition(registration);
                self.say(format!("  {}-{partition}: {text}", topic.name));
            }
        }
    }
}

/// Error code and message of a part of a response.
pub fn error(code: i16, message: &Option<Str>) -> String {
    let code = ErrorCode::from_code(code);
    message.as_ref().map_or_else(|| code.to_string(), |message| format!("{code}: {message}"))
}
