//! Formatting: new directories, old ones, wrong ones.

use std::path::{Path, PathBuf};

use klamm_env::Env;
use klamm_env::sim::Sim;
use klamm_quorum::{FormatArgs, FormatError, ensure_formatted};
use klamm_record::BrokerId;

use crate::node::{DIR, format_args};

fn args_with(dirs: &[&str]) -> FormatArgs {
    FormatArgs { log_dirs: dirs.iter().map(PathBuf::from).collect(), ..format_args() }
}

fn error(env: &Env, args: &FormatArgs) -> String {
    ensure_formatted(env, args).expect_err("this must be refused").to_string()
}

#[test]
fn a_second_look_changes_nothing() {
    Sim::new(3).run(|env| async move {
        let args = FormatArgs { cluster_id: None, ..args_with(&[DIR, "/more"]) };
        let first = ensure_formatted(&env, &args).expect("formatted");
        assert_eq!(first.newly_formatted, args.log_dirs);
        let again = ensure_formatted(&env, &args).expect("known");
        assert_eq!(again.newly_formatted, Vec::<PathBuf>::new());
        assert_eq!(
            (again.cluster_id, again.directory_ids),
            (first.cluster_id, first.directory_ids)
        );
    });
}

#[test]
fn a_directory_that_is_added_joins_the_cluster() {
    Sim::new(3).run(|env| async move {
        let first = ensure_formatted(&env, &args_with(&[DIR])).expect("formatted");
        let more = ensure_formatted(&env, &args_with(&[DIR, "/more"])).expect("formatted");
        assert_eq!(more.newly_formatted, [PathBuf::from("/more")]);
        assert_eq!(more.cluster_id, first.cluster_id);
        assert!(!env.disk().exists(Path::new("/more/bootstrap.checkpoint")).expect("readable"));
    });
}

#[test]
fn what_belongs_to_others_is_refused() {
    Sim::new(3).run(|env| async move {
        ensure_formatted(&env, &args_with(&[DIR])).expect("formatted");
        let other_node = FormatArgs { node_id: BrokerId(2), ..args_with(&[DIR]) };
        assert_eq!(
            error(&env, &other_node),
            "/data belongs to node 1, but node.id is 2: correct log.dirs or node.id"
        );
        let other_cluster =
            FormatArgs { cluster_id: Some("other".to_owned()), ..args_with(&[DIR]) };
        assert_eq!(
            error(&env, &other_cluster),
            "/data belongs to cluster 5L6g3nShT-eMCtK--X86sw, not to other: correct log.dirs, or start with the cluster id \
             of the directory"
        );
        let elsewhere =
            FormatArgs { metadata_dir: PathBuf::from("/new"), ..args_with(&["/new", DIR]) };
        assert_eq!(
            error(&env, &elsewhere),
            "metadata.log.dir /new is not formatted, but /data is: correct metadata.log.dir or log.dirs"
        );
    });
}

#[test]
fn a_log_without_an_owner_is_not_overwritten() {
    Sim::new(3).run(|env| async move {
        let log = Path::new("/data/__cluster_metadata-0/00000000000000000000.log");
        env.disk().create_dir_all(log.parent().expect("a directory")).expect("made");
        env.disk().write_atomic(log, b"precious").expect("written");
        let refused = ensure_formatted(&env, &args_with(&[DIR]));
        assert!(matches!(refused, Err(FormatError::UnknownOwner { .. })), "{refused:?}");
    });
}

#[test]
fn a_format_that_was_cut_short_is_begun_again() {
    Sim::new(3).run(|env| async move {
        ensure_formatted(&env, &args_with(&[DIR])).expect("formatted");
        env.disk().remove_file(Path::new("/data/meta.properties")).expect("removed");
        let again = ensure_formatted(&env, &args_with(&[DIR])).expect("formatted");
        assert_eq!(again.newly_formatted, [PathBuf::from(DIR)]);
        crate::node::Node::start(&env).await;
    });
}
