//! Collects generated files, formats them, then writes or compares them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, process};

use anyhow::Context as _;

use super::Mode;
use crate::command;

/// The generated files of one run.
pub struct Output {
    root: PathBuf,
    /// Where files are formatted before they are compared.
    scratch: PathBuf,
    files: BTreeMap<String, String>,
    /// Folders in which every file is generated.
    owned: Vec<String>,
}

impl Output {
    /// # Errors
    /// When the scratch folder cannot be made.
    pub fn new(root: &Path) -> anyhow::Result<Self> {
        let scratch = std::env::temp_dir().join(format!("klamm-codegen-{}", process::id()));
        fs::create_dir_all(&scratch).context("cannot make the scratch folder")?;
        Ok(Self { root: root.to_owned(), scratch, files: BTreeMap::new(), owned: Vec::new() })
    }

    /// Declares that nothing but generated files lies in `folder`.
    pub fn owns(&mut self, folder: &str) {
        self.owned.push(folder.to_owned());
    }

    /// Adds a file; `path` is relative to the root.
    pub fn put(&mut self, path: &str, source: &str) {
        self.files.insert(path.to_owned(), source.to_owned());
    }

    /// Formats all files and writes or compares them.
    ///
    /// # Errors
    /// When rustfmt fails; when comparing, also when a file differs, is missing or is left over.
    pub fn finish(self, mode: Mode) -> anyhow::Result<()> {
        let formatted = self.format();
        fs::remove_dir_all(&self.scratch).context("cannot remove the scratch folder")?;
        let formatted = formatted?;
        let mut stale = self.left_over(mode)?;
        for (path, text) in &formatted {
            let target = self.root.join(path);
            if fs::read_to_string(&target).is_ok_and(|committed| committed == *text) {
                continue;
            }
            stale.push(path.clone());
            if mode == Mode::Write {
                fs::create_dir_all(target.parent().context("a file lies in a folder")?)?;
                fs::write(&target, text).with_context(|| path.clone())?;
            }
        }
        if mode == Mode::Check && !stale.is_empty() {
            anyhow::bail!("not as generated (run `cargo xtask codegen`): {}", stale.join(", "));
        }
        println!("codegen: {} files, {} changed", formatted.len(), stale.len());
        Ok(())
    }

    fn format(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let mut arguments: Vec<String> = vec!["--edition".into(), "2024".into()];
        arguments.push("--config-path".into());
        arguments.push(self.root.join("rustfmt.toml").to_string_lossy().into_owned());
        for (path, source) in &self.files {
            let file = self.scratch.join(path);
            fs::create_dir_all(file.parent().context("a file lies in a folder")?)?;
            fs::write(&file, source)?;
            arguments.push(file.to_string_lossy().into_owned());
        }
        command::output(&self.root, "rustfmt", &arguments)?;
        let mut formatted = BTreeMap::new();
        for path in self.files.keys() {
            let text = fs::read_to_string(self.scratch.join(path))?;
            formatted.insert(path.clone(), text);
        }
        Ok(formatted)
    }

    /// Files in owned folders that are generated no more; removed when writing.
    fn left_over(&self, mode: Mode) -> anyhow::Result<Vec<String>> {
        let mut found = Vec::new();
        let mut folders = self.owned.clone();
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(self.root.join(&folder)) else { continue };
            for entry in entries {
                let entry = entry?;
                let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
                if entry.file_type()?.is_dir() {
                    folders.push(path);
                } else if !self.files.contains_key(&path) {
                    if mode == Mode::Write {
                        fs::remove_file(entry.path())?;
                    }
                    found.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}
