//! DescribeTopicPartitions, page by page, as golden text.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use klamm_protocol::messages::describe_topic_partitions_request::TopicRequest;

use super::*;
use crate::apis::test_image::{context, image, topic, two_brokers};
use crate::authorizer::Authorizer;

/// Topics `a` (3 partitions), `b` (1) and `c` (2), in pages of `partitions_max`.
fn check(partitions_max: i32, topics: &[&str], cursor: Option<(&str, i32)>, expected: Expect) {
    let mut records = two_brokers();
    for (name, id, partitions) in [("a", 1, 3), ("b", 2, 1), ("c", 3, 2)] {
        records.extend(topic(name, id, partitions));
    }
    let image = image(&records);
    let ctx = context(ApiKey::DescribeTopicPartitions, 0);
    let page = Page {
        view: ListenerView::new(&image, "PLAINTEXT"),
        rights: Rights::of(&Authorizer::AllowAll, &ctx),
        partitions_max,
    };
    let request = DescribeTopicPartitionsRequest {
        topics: topics.iter().map(|name| TopicRequest { name: Str::from(*name) }).collect(),
        response_partition_limit: partitions_max,
        cursor: cursor.map(|(topic_name, partition_index)| AskedCursor {
            topic_name: Str::from(topic_name),
            partition_index,
        }),
    };
    let mut text = String::new();
    match page.answer(&request) {
        Err(error) => write!(text, "{error}").unwrap(),
        Ok(response) => {
            for topic in &response.topics {
                let partitions: Vec<i32> =
                    topic.partitions.iter().map(|it| it.partition_index).collect();
                let error = ErrorCode::from_code(topic.error_code);
                let name = topic.name.as_deref().unwrap_or("null");
                writeln!(text, "{name} {partitions:?} {error}").unwrap();
            }
            if let Some(cursor) = response.next_cursor {
                writeln!(text, "then {} {}", cursor.topic_name, cursor.partition_index).unwrap();
            }
        }
    }
    expected.assert_eq(&text);
}

#[test]
fn all_topics_in_one_page() {
    check(
        100,
        &[],
        None,
        expect![[r#"
            a [0, 1, 2] NONE
            b [0] NONE
            c [0, 1] NONE
        "#]],
    );
}

#[test]
fn pages_end_within_a_topic_or_before_one() {
    check(
        2,
        &[],
        None,
        expect![[r#"
            a [0, 1] NONE
            then a 2
        "#]],
    );
    check(
        2,
        &[],
        Some(("a", 2)),
        expect![[r#"
            a [2] NONE
            b [0] NONE
            then c 0
        "#]],
    );
    check(
        2,
        &[],
        Some(("c", 0)),
        expect![[r#"
            c [0, 1] NONE
        "#]],
    );
}

#[test]
fn a_page_that_is_just_full_points_at_the_next_topic_asked_for() {
    check(
        3,
        &["c", "a", "zzz"],
        None,
        expect![[r#"
            a [0, 1, 2] NONE
            then c 0
        "#]],
    );
}

#[test]
fn unknown_topics_are_reported_only_to_those_who_ask_for_them() {
    check(
        100,
        &["b", "nowhere", "no/where", "b"],
        None,
        expect![[r#"
            b [0] NONE
            no/where [] INVALID_TOPIC_EXCEPTION
            nowhere [] UNKNOWN_TOPIC_OR_PARTITION
        "#]],
    );
    check(
        100,
        &[],
        Some(("bb", 0)),
        expect![[r#"
            c [0, 1] NONE
        "#]],
    );
}

#[test]
fn a_cursor_beyond_the_topic_gives_no_partitions() {
    check(
        100,
        &["b"],
        Some(("b", i32::MAX)),
        expect![[r#"
            b [] NONE
        "#]],
    );
}

#[test]
fn cursors_that_make_no_sense_are_refused() {
    check(100, &["b"], Some(("a", 0)), expect!["INVALID_REQUEST"]);
    check(100, &[], Some(("a", -1)), expect!["INVALID_REQUEST"]);
}

#[test]
fn a_partition_is_told_with_its_replicas() {
    let image = image(&[two_brokers(), topic("a", 1, 1)].concat());
    let ctx = context(ApiKey::DescribeTopicPartitions, 0);
    let page = Page {
        view: ListenerView::new(&image, "PLAINTEXT"),
        rights: Rights::of(&Authorizer::AllowAll, &ctx),
        partitions_max: 10,
    };
    let response = page.answer(&DescribeTopicPartitionsRequest::default()).unwrap();
    let partition = &response.topics[0].partitions[0];
    assert_eq!((partition.leader_id, partition.leader_epoch), (1, 5));
    assert_eq!(partition.replica_nodes, [1, 2]);
    assert_eq!(partition.isr_nodes, [1]);
    assert_eq!(partition.offline_replicas, [2]);
    assert_eq!(partition.eligible_leader_replicas, Some(vec![]));
}
