//! Compares what was written with what was read: every byte, and the order of each key.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

type Values<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Checks that `read` (partition, offset, key, value) holds exactly the lines of `written`
/// (key, value), `times` over, in the order of each key, with dense offsets in each partition.
pub fn same(written: &Path, read: &Path, times: usize) -> anyhow::Result<()> {
    let written_text = text(written)?;
    let read_text = text(read)?;
    let mut expected = Values::new();
    for _ in 0..times {
        for line in written_text.lines() {
            let (key, value) = line.split_once('\t').context("a written line has no key")?;
            expected.entry(key).or_default().push(value);
        }
    }
    let found = read_values(&read_text)?;
    for (key, values) in &expected {
        let got = found.get(key).map_or(&[][..], Vec::as_slice);
        if let Some(at) =
            (0..values.len().max(got.len())).find(|at| values.get(*at) != got.get(*at))
        {
            bail!(
                "key {key}: {} values written, {} read, the first difference at {at}: wrote {:?}, read {:?}",
                values.len(),
                got.len(),
                values.get(at),
                got.get(at)
            );
        }
    }
    if let Some(key) = found.keys().find(|key| !expected.contains_key(*key)) {
        bail!("key {key} was read but never written");
    }
    Ok(())
}

/// A whole text file.
pub fn text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn read_values(text: &str) -> anyhow::Result<Values<'_>> {
    let mut next: BTreeMap<&str, i64> = BTreeMap::new();
    let mut values = Values::new();
    for line in text.lines() {
        let mut fields = line.splitn(4, '\t');
        let (Some(partition), Some(offset), Some(key), Some(value)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            bail!("a read line has fewer than four fields: {line}");
        };
        let offset: i64 = offset.parse().with_context(|| format!("not an offset: {offset}"))?;
        let expected = next.entry(partition).or_insert(0);
        if offset != *expected {
            bail!("partition {partition}: offset {offset} came where {expected} was due");
        }
        *expected = offset + 1;
        values.entry(key).or_default().push(value);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::read_values;

    #[test]
    fn a_gap_is_noticed() {
        assert!(read_values("0\t0\tk\tv\n0\t1\tk\tw\n").is_ok());
        assert!(read_values("0\t0\tk\tv\n0\t2\tk\tw\n").is_err());
        assert!(read_values("0\t1\tk\tv\n").is_err());
    }
}
