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
