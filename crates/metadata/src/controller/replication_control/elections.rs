//! Elections that nobody asked for: back to the preferred leaders, and uncleanly where a topic allows it.

use super::super::partition_change::{Election, PartitionChange};
use super::super::state::ControllerState;
use super::super::{Controller, ControllerResult};
use crate::partition_registration::NO_LEADER;
use crate::records::MetadataRecord;
use klamm_record::{BrokerId, TopicId};

/// The most elections of one round.
const ELECTIONS_PER_ROUND_MAX: usize = 1_000;

impl Controller {
    /// Whether [`Self::balance_leaders`] may find something to do.
    pub fn are_leaders_imbalanced(&self) -> bool {
        !self.latest.imbalanced.is_empty()
    }

    /// Whether [`Self::elect_unclean_leaders`] may find something to do.
    pub fn are_partitions_leaderless(&self) -> bool {
        self.latest.has_leaderships(NO_LEADER)
    }

    /// Gives partitions back to their preferred leader; the response says whether to go on at once.
    pub fn balance_leaders(&self) -> ControllerResult<bool> {
        self.elect_each(self.latest.imbalanced.iter().copied(), Election::Preferred)
    }

    /// Elects leaders uncleanly where the topic allows it; the response says whether to go on at once.
    pub fn elect_unclean_leaders(&self) -> ControllerResult<bool> {
        let leaderless = ControllerState::partitions_of(&self.latest.leaders, NO_LEADER);
        let allowed = leaderless.filter(|(topic, _)| self.unclean_election_enabled(*topic));
        self.elect_each(allowed, Election::Unclean)
    }

    fn elect_each(
        &self,
        partitions: impl Iterator<Item = (TopicId, i32)>,
        election: Election,
    ) -> ControllerResult<bool> {
        let mut records = Vec::new();
        for at in partitions {
            if records.len() >= ELECTIONS_PER_ROUND_MAX {
                break;
            }
            let Some(partition) = self.latest.image.topics.partition(at.0, at.1) else { continue };
            let can_lead = |id: BrokerId| {
                self.latest.image.cluster.is_active(id) && self.has_online_directory(partition, id)
            };
            let mut change =
                PartitionChange::new(partition, at, self.election_rules(at.0), &can_lead);
            change.election = election;
            records.extend(change.build().map(MetadataRecord::PartitionChange));
        }
        let again = records.len() >= ELECTIONS_PER_ROUND_MAX;
        ControllerResult::of(records, again)
    }
}
