//! Installs what the clients need: once, into the user's cache folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::command;

/// Where the installed clients lie.
pub struct Tools {
    /// `~/.cache/klamm/clients` (or below `XDG_CACHE_HOME`).
    pub cache: PathBuf,
    /// The interpreter with kafka-python and confluent-kafka.
    pub python: PathBuf,
    /// Java class path: Kafka's jars and the compiled client.
    pub class_path: String,
    /// The folder with kafkajs installed beside a copy of the program.
    pub node: PathBuf,
    /// The built franz-go program.
    pub go: PathBuf,
    /// The log4j settings for Kafka's tools.
    pub log4j: PathBuf,
}

impl Tools {
    /// Installs what is not there yet; quick when nothing is missing.
    pub fn install(root: &Path) -> anyhow::Result<Tools> {
        let cache = cache_folder()?;
        fs::create_dir_all(&cache)?;
        let clients = root.join("clients");
        debian_packages(root)?;
        let python = python(&cache, &clients)?;
        let class_path = java(&cache, &clients)?;
        let node = node(&cache, &clients)?;
        let go = cache.join("franz-go-client");
        command::run(&clients.join("go"), "go", &["build", "-o", &go.to_string_lossy(), "."])?;
        let log4j = clients.join("java").join("log4j2.properties");
        Ok(Tools { cache, python, class_path, node, go, log4j })
    }

    /// The arguments that start a Java main class of Kafka.
    pub fn java(&self, main: &str) -> Vec<String> {
        vec![
            "-Xmx512m".to_owned(),
            "-cp".to_owned(),
            self.class_path.clone(),
            format!("-Dlog4j2.configurationFile={}", self.log4j.display()),
            main.to_owned(),
        ]
    }
}

fn cache_folder() -> anyhow::Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(base.join("klamm").join("clients"))
}

fn found(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}

fn debian_packages(root: &Path) -> anyhow::Result<()> {
    let wanted = [
        ("kcat", "kcat"),
        ("java", "openjdk-17-jdk-headless"),
        ("javac", "openjdk-17-jdk-headless"),
        ("mvn", "maven"),
        ("node", "nodejs"),
        ("npm", "npm"),
        ("go", "golang-go"),
        ("python3", "python3-venv"),
        ("ip", "iproute2"),
    ];
    let mut missing: Vec<&str> =
        wanted.iter().filter(|(program, _)| !found(program)).map(|(_, package)| *package).collect();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    if !found("apt-get") {
        bail!("these are missing and apt-get is not there to install them: {}", missing.join(", "));
    }
    command::run(root, "apt-get", &["update", "-qq"])?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(missing);
    command::run(root, "apt-get", &arguments)
}

/// True when `stamp` holds `wanted` already.
fn is_fresh(stamp: &Path, wanted: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|text| text == wanted)
}

fn python(cache: &Path, clients: &Path) -> anyhow::Result<PathBuf> {
    let requirements = clients.join("python").join("requirements.txt");
    let wanted = fs::read_to_string(&requirements)?;
    let folder = cache.join("python");
    let python = folder.join("bin").join("python");
    let stamp = folder.join("installed");
    if !is_fresh(&stamp, &wanted) {
        command::run(cache, "python3", &["-m", "venv", "--clear", &folder.to_string_lossy()])?;
        command::run(
            cache,
            &python.to_string_lossy(),
            &["-m", "pip", "install", "--quiet", "-r", &requirements.to_string_lossy()],
        )?;
        fs::write(&stamp, wanted)?;
    }
    Ok(python)
}

fn java(cache: &Path, clients: &Path) -> anyhow::Result<String> {
    let source = clients.join("java");
    let wanted = fs::read_to_string(source.join("pom.xml"))?;
    let folder = cache.join("java");
    let stamp = folder.join("installed");
    if !is_fresh(&stamp, &wanted) {
        fs::create_dir_all(&folder)?;
        fs::copy(source.join("pom.xml"), folder.join("pom.xml"))?;
        let target = format!("-DoutputDirectory={}", folder.join("libs").display());
        command::run(&folder, "mvn", &["-q", "-B", "dependency:copy-dependencies", &target])?;
        fs::write(&stamp, wanted)?;
    }
    let libs = format!("{}/*", folder.join("libs").display());
    let classes = folder.join("classes");
    let program = source.join("JavaClient.java");
    command::run(
        &folder,
        "javac",
        &["-d", &classes.to_string_lossy(), "-cp", &libs, &program.to_string_lossy()],
    )?;
    Ok(format!("{}:{libs}", classes.display()))
}

fn node(cache: &Path, clients: &Path) -> anyhow::Result<PathBuf> {
    let source = clients.join("node");
    let wanted = fs::read_to_string(source.join("package.json"))?;
    let folder = cache.join("node");
    let stamp = folder.join("installed");
    if !is_fresh(&stamp, &wanted) {
        fs::create_dir_all(&folder)?;
        fs::copy(source.join("package.json"), folder.join("package.json"))?;
        command::run(
            &folder,
            "npm",
            &[
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--no-package-lock",
            ],
        )?;
        fs::write(&stamp, wanted)?;
    }
    fs::copy(source.join("kafkajs_client.js"), folder.join("kafkajs_client.js"))?;
    Ok(folder)
}
