//! `cargo xtask compat`: writes `COMPAT.md` from the server's dispatch table.

use std::path::Path;

use anyhow::ensure;

/// Runs the server's test that knows the table; with `UPDATE_EXPECT` it writes what it finds.
pub fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    let mut cargo = std::process::Command::new("cargo");
    cargo.current_dir(root).args(["test", "--quiet", "--package", "klamm-server", "--lib"]);
    cargo.arg("apis::compat::compat_md_is_up_to_date");
    match check {
        true => cargo.env_remove("UPDATE_EXPECT"),
        false => cargo.env("UPDATE_EXPECT", "1"),
    };
    ensure!(cargo.status()?.success(), "COMPAT.md does not say what the node serves");
    Ok(())
}
