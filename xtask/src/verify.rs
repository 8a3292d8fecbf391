//! `verify` (read-only, what CI runs) and `fix` (writes).

use std::path::Path;

use crate::{codegen, command, tidy};

/// Everything that can be checked without running the product.
pub fn verify(root: &Path) -> anyhow::Result<()> {
    command::run(root, "cargo", &["fmt", "--all", "--check"])?;
    tidy::run(root)?;
    codegen::run(root, codegen::Mode::Check)?;
    command::run(
        root,
        "cargo",
        &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"],
    )?;
    println!("verify: all passed");
    Ok(())
}

/// Writes what `verify` would complain about and can be written.
pub fn fix(root: &Path) -> anyhow::Result<()> {
    codegen::run(root, codegen::Mode::Write)?;
    command::run(root, "cargo", &["fmt", "--all"])
}
