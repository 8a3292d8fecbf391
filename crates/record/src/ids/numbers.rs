//! Numeric ids as newtypes, so that an epoch is never passed where an offset belongs.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use super::Uuid;

macro_rules! newtype {
    ($(#[$meta:meta])* $name:ident($inner:ty)) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[repr(transparent)]
        pub struct $name(pub $inner);

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }

        impl From<$name> for $inner {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

newtype! {
    /// Position of a record in a partition, counted from 0; −1 where Kafka says "none".
    Offset(i64)
}
newtype! {
    /// Counts the leaders that a partition has had; −1 where it is not known.
    LeaderEpoch(i32)
}
newtype! {
    /// Id of a node (`node.id`); −1 where Kafka says "none".
    BrokerId(i32)
}
newtype! {
    /// Id of an idempotent producer (KIP-98); −1 for a producer without one.
    ProducerId(i64)
}
newtype! {
    /// Id of a topic (KIP-516); survives nothing, a topic made again gets a new one.
    TopicId(Uuid)
}

impl Offset {
    /// Kafka's "no offset".
    pub const NONE: Self = Self(-1);
    /// The first offset of a partition.
    pub const ZERO: Self = Self(0);
}

impl Add<i64> for Offset {
    type Output = Self;

    fn add(self, count: i64) -> Self {
        Self(self.0 + count)
    }
}

impl AddAssign<i64> for Offset {
    fn add_assign(&mut self, count: i64) {
        self.0 += count;
    }
}

impl Sub<i64> for Offset {
    type Output = Self;

    fn sub(self, count: i64) -> Self {
        Self(self.0 - count)
    }
}

impl Sub for Offset {
    type Output = i64;

    fn sub(self, other: Self) -> i64 {
        self.0 - other.0
    }
}

impl LeaderEpoch {
    /// Kafka's `NO_PARTITION_LEADER_EPOCH`.
    pub const NONE: Self = Self(-1);
}

impl BrokerId {
    /// Kafka's "no node".
    pub const NONE: Self = Self(-1);
}

impl ProducerId {
    /// Kafka's `NO_PRODUCER_ID`.
    pub const NONE: Self = Self(-1);
}

impl TopicId {
    /// Stands for "no topic id".
    pub const ZERO: Self = Self(Uuid::ZERO);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_and_print() {
        let mut offset = Offset(5) + 3;
        offset += 1;
        assert_eq!(offset - Offset(4), 5);
        assert_eq!((offset - 1).to_string(), "8");
        assert_eq!(i64::from(Offset::NONE), -1);
    }
}
