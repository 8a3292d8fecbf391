//! What the APIs for configs ask of a resource: is it named rightly, and may the client touch it?

use klamm_metadata::image::ResourceType as ConfigResourceType;
use klamm_protocol::ErrorCode;
use klamm_record::BrokerId;

use crate::apis::error::KafkaError;
use crate::authorizer::{AclOperation, ResourceType, Rights};

/// INVALID_REQUEST with a message.
pub fn invalid(message: impl Into<String>) -> KafkaError {
    KafkaError::new(ErrorCode::InvalidRequest, message)
}

/// Asks the authorizer: topics and groups have rights of their own, all else is the cluster's.
///
/// # Errors
/// The resource's authorization error.
pub fn check_allowed(
    rights: &Rights<'_>,
    operation: AclOperation,
    resource_type: i8,
    name: &str,
) -> Result<(), KafkaError> {
    let (may, error) = match ConfigResourceType::from_code(resource_type) {
        Some(ConfigResourceType::Topic) => (
            rights.may_on_topic(operation, name),
            KafkaError::new(ErrorCode::TopicAuthorizationFailed, "Topic authorization failed."),
        ),
        Some(ConfigResourceType::Group) => (
            rights.may(operation, ResourceType::Group, name),
            KafkaError::new(ErrorCode::GroupAuthorizationFailed, "Group authorization failed."),
        ),
        _ => (
            rights.may_on_cluster(operation),
            KafkaError::new(ErrorCode::ClusterAuthorizationFailed, "Cluster authorization failed."),
        ),
    };
    if may { Ok(()) } else { Err(error) }
}

/// The broker that a resource name means.
///
/// # Errors
/// If it is not a number.
pub fn named_broker(name: &str) -> Result<BrokerId, KafkaError> {
    name.parse()
        .map(BrokerId)
        .map_err(|_| invalid(format!("Broker id must be an integer, but it is: {name}")))
}

/// Checks that a broker resource whose configs are to change is this node, or all brokers (empty).
///
/// # Errors
/// If it is another node, or not a number.
pub fn check_this_node(name: &str, node: BrokerId) -> Result<(), KafkaError> {
    if name.is_empty() {
        return Ok(());
    }
    match name.parse::<i32>() {
        Ok(id) if BrokerId(id) == node => Ok(()),
        Ok(_) => {
            Err(invalid(format!("Unexpected broker id, expected {node}, but received {name}")))
        }
        Err(_) => Err(invalid(format!("Node id must be an integer, but it is: {name}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_resource_names_this_node_or_all() {
        let message = |name| check_this_node(name, BrokerId(1)).map_err(|it| it.message);
        assert_eq!(message(""), Ok(()));
        assert_eq!(message("1"), Ok(()));
        let refused = |text: &str| Err(Some(text.to_owned()));
        assert_eq!(message("2"), refused("Unexpected broker id, expected 1, but received 2"));
        assert_eq!(message("x"), refused("Node id must be an integer, but it is: x"));
    }
}
