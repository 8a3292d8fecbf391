//! The `klamm` binary: parses arguments, calls server, gateway and client.

use std::process::ExitCode;

use clap::Parser;

mod args;
mod commands;
mod exit;
mod logging;

// Fresh pages are what costs a produce; mimalloc keeps receive buffers warm and gives idle memory back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    match arguments.command {
        args::Command::Server(arguments) => commands::server::run(arguments),
        args::Command::Log(log) => match log.command {
            args::LogCommand::Dump(arguments) => commands::log_dump::run(&arguments),
        },
    }
}
