//! Kafka's own `DumpLogSegments` over every file of a data directory.

use std::fs;
use std::path::Path;

use anyhow::bail;

use crate::clients::Context;
use crate::clients::programs::kafka_tool;

/// Words by which the tool reports trouble while it still exits with 0.
const TROUBLE: &[&str] = &[
    "Exception",
    "Found timestamp mismatch",
    "Found out of order",
    "Non-consecutive offsets",
    "Mismatches in",
    "isvalid: false",
    "Index timestamp",
    "corrupt",
];

/// Reads every log, index, snapshot and checkpoint file; returns how many there were.
pub fn every_file(context: &Context, data: &Path) -> anyhow::Result<usize> {
    let mut metadata = Vec::new();
    let mut others = Vec::new();
    for folder in fs::read_dir(data)?.flatten().filter(|entry| entry.path().is_dir()) {
        let name = folder.file_name().to_string_lossy().into_owned();
        for file in fs::read_dir(folder.path())?.flatten().map(|entry| entry.path()) {
            if !is_dumpable(&file) {
                continue;
            }
            let list =
                if name.starts_with("__cluster_metadata") { &mut metadata } else { &mut others };
            list.push(file.to_string_lossy().into_owned());
        }
    }
    dump(context, &metadata, &["--cluster-metadata-decoder"])?;
    dump(context, &others, &["--print-data-log"])?;
    dump(
        context,
        &others.iter().filter(|name| is_index(name)).cloned().collect::<Vec<_>>(),
        &["--index-sanity-check"],
    )?;
    Ok(metadata.len() + others.len())
}

fn dump(context: &Context, files: &[String], options: &[&str]) -> anyhow::Result<()> {
    for files in files.chunks(200) {
        let list = files.join(",");
        let mut arguments = options.to_vec();
        arguments.extend(["--files", &list]);
        let text = kafka_tool(context, "org.apache.kafka.tools.DumpLogSegments", &arguments)?;
        let trouble = text.lines().find(|line| {
            !line.contains("payload:") && TROUBLE.iter().any(|word| line.contains(word))
        });
        if let Some(line) = trouble {
            bail!("DumpLogSegments {}: {line}", options.join(" "));
        }
        if !text.contains("Dumping ") {
            bail!("DumpLogSegments {} printed nothing of its files", options.join(" "));
        }
    }
    Ok(())
}

fn is_index(name: &str) -> bool {
    name.ends_with(".index") || name.ends_with(".timeindex")
}

fn is_dumpable(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
    matches!(
        extension.as_deref(),
        Some("log" | "index" | "timeindex" | "txnindex" | "snapshot" | "checkpoint")
    )
}
