//! May this principal do that? Asked for every API; says yes until the security issue.

use crate::request_context::RequestContext;

/// Kafka's `AclOperation`, by its code on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i8)]
#[allow(missing_docs)]
pub enum AclOperation {
    Read = 3,
    Write = 4,
    Create = 5,
    Delete = 6,
    Alter = 7,
    Describe = 8,
    ClusterAction = 9,
    DescribeConfigs = 10,
    AlterConfigs = 11,
    IdempotentWrite = 12,
    CreateTokens = 13,
    DescribeTokens = 14,
    TwoPhaseCommit = 15,
}

/// Kafka's `ResourceType`, by its code on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i8)]
#[allow(missing_docs)]
pub enum ResourceType {
    Topic = 2,
    Group = 3,
    Cluster = 4,
    TransactionalId = 5,
    DelegationToken = 6,
    User = 7,
}

/// The one resource of type [`ResourceType::Cluster`].
pub const CLUSTER_NAME: &str = "kafka-cluster";

/// The answer of an authorizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allowed,
    /// Answer with the resource's authorization error.
    Denied,
}

/// Who decides.
#[derive(Debug, Clone, Default)]
pub enum Authorizer {
    /// No `authorizer.class.name`: everyone may do everything, as in Kafka.
    #[default]
    AllowAll,
}

impl Authorizer {
    /// Decides about one operation on one resource.
    pub fn authorize(
        &self,
        _ctx: &RequestContext,
        _operation: AclOperation,
        _resource: (ResourceType, &str),
    ) -> Decision {
        match self {
            Authorizer::AllowAll => Decision::Allowed,
        }
    }

    /// The operations allowed on a resource as Kafka's bit field (`authorized_operations` of
    /// Metadata and DescribeCluster): bit n stands for the operation with code n.
    pub fn authorized_operations(
        &self,
        ctx: &RequestContext,
        resource: (ResourceType, &str),
    ) -> i32 {
        supported_operations(resource.0)
            .iter()
            .filter(|operation| self.authorize(ctx, **operation, resource) == Decision::Allowed)
            .fold(0, |bits, operation| bits | 1 << *operation as i8)
    }
}

/// What one request may do: the authorizer and the request it is asked about.
#[derive(Clone, Copy)]
pub struct Rights<'a> {
    authorizer: &'a Authorizer,
    ctx: &'a RequestContext,
}

impl<'a> Rights<'a> {
    /// The rights of the one who sent this request.
    pub fn of(authorizer: &'a Authorizer, ctx: &'a RequestContext) -> Rights<'a> {
        Rights { authorizer, ctx }
    }

    /// Whether the operation is allowed on a resource.
    pub fn may(&self, operation: AclOperation, resource_type: ResourceType, name: &str) -> bool {
        let resource = (resource_type, name);
        self.authorizer.authorize(self.ctx, operation, resource) == Decision::Allowed
    }

    /// Whether the operation is allowed on the cluster.
    pub fn may_on_cluster(&self, operation: AclOperation) -> bool {
        self.may(operation, ResourceType::Cluster, CLUSTER_NAME)
    }

    /// Whether the operation is allowed on a topic.
    pub fn may_on_topic(&self, operation: AclOperation, topic: &str) -> bool {
        self.may(operation, ResourceType::Topic, topic)
    }

    /// The bit field of what is allowed on a topic.
    pub fn topic_operations(&self, topic: &str) -> i32 {
        self.authorizer.authorized_operations(self.ctx, (ResourceType::Topic, topic))
    }

    /// The bit field of what is allowed on the cluster; 0 for those who may not describe it.
    pub fn cluster_operations(&self) -> i32 {
        if self.may_on_cluster(AclOperation::Describe) {
            let cluster = (ResourceType::Cluster, CLUSTER_NAME);
            self.authorizer.authorized_operations(self.ctx, cluster)
        } else {
            0
        }
    }
}

/// Which operations a resource knows (Kafka: `AclEntry.supportedOperations`).
pub fn supported_operations(resource_type: ResourceType) -> &'static [AclOperation] {
    use AclOperation::*;
    match resource_type {
        ResourceType::Topic => {
            &[Read, Write, Create, Delete, Alter, Describe, DescribeConfigs, AlterConfigs]
        }
        ResourceType::Group => &[Read, Describe, Delete, DescribeConfigs, AlterConfigs],
        ResourceType::Cluster => &[
            Create,
            Alter,
            Describe,
            ClusterAction,
            DescribeConfigs,
            AlterConfigs,
            IdempotentWrite,
        ],
        ResourceType::TransactionalId => &[Describe, Write, TwoPhaseCommit],
        ResourceType::DelegationToken => &[Describe],
        ResourceType::User => &[CreateTokens, DescribeTokens],
    }
}
