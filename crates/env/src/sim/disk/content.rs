//! `Content`: the bytes of one file, as read now and as a power cut would leave them.

use std::collections::{BTreeSet, VecDeque};

use crate::rng::Rng;

/// How a node goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashKind {
    /// The process is killed: all that was written stays, since the system lives on.
    Process,
    /// The power is cut: what was not synced is lost, kept, or torn, as the seed decides.
    PowerLoss,
    /// The worst power cut: nothing that was not synced is left.
    DropUnsynced,
}

const PAGE_BYTES: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Content {
    /// What reads see.
    current: Vec<u8>,
    /// What was synced.
    durable: Vec<u8>,
    /// What was done since, in order.
    changes: VecDeque<Change>,
    /// How many changes were made before `changes.front()`.
    settled: u64,
    reserved: u64,
}

#[derive(Debug, Clone)]
enum Change {
    Write { position: usize, bytes: Vec<u8> },
    SetLen(usize),
}

impl Content {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.current
    }

    pub(crate) fn durable_bytes(&self) -> &[u8] {
        &self.durable
    }

    /// Bytes taken on the volume.
    pub(crate) fn allocated(&self) -> u64 {
        self.reserved.max(self.current.len() as u64)
    }

    pub(crate) fn reserve(&mut self, len: u64) {
        self.reserved = self.reserved.max(len);
    }

    pub(crate) fn write(&mut self, position: usize, bytes: &[u8]) {
        self.change(Change::Write { position, bytes: bytes.to_vec() });
    }

    pub(crate) fn set_len(&mut self, len: usize) {
        if len < self.current.len() {
            self.reserved = len as u64;
        }
        self.change(Change::SetLen(len));
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.current);
        self.changes.push_back(change);
    }

    /// Names all changes made so far.
    pub(crate) fn mark(&self) -> u64 {
        self.settled + self.changes.len() as u64
    }

    /// Makes the changes before the mark survive.
    pub(crate) fn sync_to(&mut self, mark: u64) {
        while self.settled < mark {
            let Some(change) = self.changes.pop_front() else { break };
            change.apply(&mut self.durable);
            self.settled += 1;
        }
    }

    /// A sync that fails: the system forgets that the changes before the mark are owed.
    pub(crate) fn lose_to(&mut self, mark: u64) {
        while self.settled < mark && self.changes.pop_front().is_some() {
            self.settled += 1;
        }
    }

    pub(crate) fn crash(&mut self, kind: CrashKind, rng: &Rng) {
        let survivor = match kind {
            CrashKind::Process => return,
            CrashKind::DropUnsynced => self.durable.clone(),
            CrashKind::PowerLoss if self.changes.is_empty() => self.durable.clone(),
            CrashKind::PowerLoss => match rng.below(4) {
                0 => self.durable.clone(),
                1 => self.torn_prefix(rng),
                2 => self.some_pages(rng),
                _ => self.all_changes(),
            },
        };
        self.settled = self.mark();
        self.changes.clear();
        self.durable.clone_from(&survivor);
        self.reserved = 0;
        self.current = survivor;
    }

    fn all_changes(&self) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        self.changes.iter().for_each(|change| change.apply(&mut bytes));
        bytes
    }

    /// The first changes in order, the last of them in part, perhaps with zeros where the rest of it would be.
    fn torn_prefix(&self, rng: &Rng) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let whole = rng.below(self.changes.len() as u64 + 1) as usize;
        self.changes.iter().take(whole).for_each(|change| change.apply(&mut bytes));
        if let Some(Change::Write { position, bytes: written }) = self.changes.get(whole) {
            let kept = rng.below(written.len() as u64 + 1) as usize;
            write_into(&mut bytes, *position, &written[..kept]);
            let end = position + written.len();
            if kept > 0 && rng.below(2) == 0 && bytes.len() < end {
                bytes.resize(end, 0);
            }
        }
        bytes
    }

    /// Pages reach the device in any order; the length may or may not have.
    fn some_pages(&self, rng: &Rng) -> Vec<u8> {
        let full = self.all_changes();
        let mut bytes = self.durable.clone();
        if rng.below(2) == 0 {
            bytes.resize(full.len(), 0);
        }
        let touched: BTreeSet<usize> = self.changes.iter().flat_map(Change::pages).collect();
        for page in touched {
            let from = page * PAGE_BYTES;
            let to = full.len().min(from + PAGE_BYTES);
            if from < to && rng.below(2) == 0 {
                write_into(&mut bytes, from, &full[from..to]);
            }
        }
        bytes
    }
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Change::Write { position, bytes } => write_into(to, *position, bytes),
            Change::SetLen(len) => to.resize(*len, 0),
        }
    }

    fn pages(&self) -> std::ops::Range<usize> {
        match self {
            Change::Write { position, bytes } => {
                position / PAGE_BYTES..(position + bytes.len()).div_ceil(PAGE_BYTES)
            }
            Change::SetLen(_) => 0..0,
        }
    }
}

fn write_into(target: &mut Vec<u8>, position: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let end = position + bytes.len();
    if target.len() < end {
        target.resize(end, 0);
    }
    target[position..end].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rng::Rng;

    #[derive(Debug, Clone)]
    enum Step {
        Write(usize, Vec<u8>),
        SetLen(usize),
        Sync,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let bytes = prop::collection::vec(1..=255u8, 1..3000);
        let step = prop_oneof![
            4 => (0..20_000usize, bytes).prop_map(|(at, bytes)| Step::Write(at, bytes)),
            1 => (0..20_000usize).prop_map(Step::SetLen),
            1 => Just(Step::Sync),
        ];
        prop::collection::vec(step, 0..20)
    }

    fn run(steps: &[Step]) -> (Content, Vec<u8>, Vec<u8>) {
        let (mut content, mut now, mut synced) = (Content::default(), Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Write(at, bytes) => {
                    content.write(*at, bytes);
                    write_into(&mut now, *at, bytes);
                }
                Step::SetLen(len) => {
                    content.set_len(*len);
                    now.resize(*len, 0);
                }
                Step::Sync => {
                    content.sync_to(content.mark());
                    synced.clone_from(&now);
                }
            }
        }
        (content, now, synced)
    }

    proptest! {
        #[test]
        fn each_crash_leaves_what_it_says(steps in steps(), seed in any::<u64>()) {
            let (mut killed, now, synced) = run(&steps);
            let rng = Rng::seeded(seed);
            killed.crash(CrashKind::Process, &rng);
            prop_assert_eq!(killed.bytes(), &now[..]);
            killed.crash(CrashKind::DropUnsynced, &rng);
            prop_assert_eq!(killed.bytes(), &synced[..]);

            let (mut cut, now, synced) = run(&steps);
            cut.crash(CrashKind::PowerLoss, &rng);
            // Every byte is an old one, one that was written, or a zero of a hole.
            let writes: Vec<_> = steps.iter().filter_map(|step| match step {
                Step::Write(at, bytes) => Some((*at, bytes)),
                _ => None,
            }).collect();
            for (i, byte) in cut.bytes().iter().enumerate() {
                let written = writes.iter().any(|(at, bytes)| {
                    i.checked_sub(*at).and_then(|i| bytes.get(i)) == Some(byte)
                });
                prop_assert!(*byte == 0 || synced.get(i) == Some(byte) || written, "byte {i}");
            }
            if now == synced && steps.last().is_none_or(|s| matches!(s, Step::Sync)) {
                prop_assert_eq!(cut.bytes(), &synced[..]);
            }
            // A second power cut finds nothing more to lose.
            let after = cut.bytes().to_vec();
            cut.crash(CrashKind::PowerLoss, &rng);
            prop_assert_eq!(cut.bytes(), &after[..]);
        }

        #[test]
        fn appended_and_synced_bytes_survive_every_power_cut(
            synced in prop::collection::vec(any::<u8>(), 0..9000),
            unsynced in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..5000), 0..5),
            seed in any::<u64>(),
        ) {
            let mut content = Content::default();
            content.write(0, &synced);
            content.sync_to(content.mark());
            for piece in &unsynced {
                content.write(content.bytes().len(), piece);
            }
            content.crash(CrashKind::PowerLoss, &Rng::seeded(seed));
            prop_assert!(content.bytes().starts_with(&synced));
        }
    }

    #[test]
    fn a_sync_covers_what_came_before_its_mark_only() {
        let mut content = Content::default();
        content.write(0, b"abc");
        let mark = content.mark();
        content.write(3, b"def");
        content.sync_to(mark);
        content.sync_to(mark);
        content.crash(CrashKind::DropUnsynced, &Rng::seeded(1));
        assert_eq!(content.bytes(), b"abc");
    }

    #[test]
    fn what_a_failed_sync_covered_is_never_durable() {
        let mut content = Content::default();
        content.write(0, b"abc");
        content.lose_to(content.mark());
        content.write(3, b"def");
        content.sync_to(content.mark());
        assert_eq!(content.bytes(), b"abcdef");
        content.crash(CrashKind::PowerLoss, &Rng::seeded(1));
        assert_eq!(content.bytes(), b"\0\0\0def");
    }

    #[test]
    fn power_cuts_come_in_all_kinds() {
        let mut seen = BTreeSet::new();
        for seed in 0..200 {
            let mut content = Content::default();
            content.write(0, b"s");
            content.sync_to(content.mark());
            content.write(1, b"123");
            content.write(4, b"456");
            content.crash(CrashKind::PowerLoss, &Rng::seeded(seed));
            seen.insert(content.bytes().to_vec());
        }
        for expected in
            [&b"s"[..], b"s1", b"s12\0", b"s123", b"s1234", b"s123456", b"s\0\0\0\0\0\0"]
        {
            assert!(seen.contains(expected), "{}", expected.escape_ascii());
        }
    }
}
