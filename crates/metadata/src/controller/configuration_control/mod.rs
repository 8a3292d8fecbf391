//! Dynamic configurations: AlterConfigs and IncrementalAlterConfigs.
//!
//! Source: Kafka's `ConfigurationControlManager`, with the checks that its brokers (`ConfigAdminManager`) and controllers
//! (`ControllerApis`) do on the way; authorization has been asked before.

mod alter;
mod requests;
mod validation;

/// How a value is to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpType {
    Set,
    Delete,
    Append,
    Subtract,
}

impl OpType {
    fn from_code(code: i8) -> Option<Self> {
        match code {
            0 => Some(Self::Set),
            1 => Some(Self::Delete),
            2 => Some(Self::Append),
            3 => Some(Self::Subtract),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Set => "SET",
            Self::Delete => "DELETE",
            Self::Append => "APPEND",
            Self::Subtract => "SUBTRACT",
        }
    }
}

/// One change of one configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ConfigOp {
    name: std::sync::Arc<str>,
    op: OpType,
    value: Option<std::sync::Arc<str>>,
}
