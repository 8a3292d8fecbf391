//! Where the lines go, and whether anything was damaged.

use std::io::{self, Write};

use super::line::Line;

/// How the lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// The output of one run.
pub struct Output<'a> {
    sink: &'a mut dyn Write,
    format: Format,
    file: String,
    damages: u64,
}

impl<'a> Output<'a> {
    /// An output without a file yet.
    pub fn new(sink: &'a mut dyn Write, format: Format) -> Output<'a> {
        Output { sink, format, file: String::new(), damages: 0 }
    }

    /// The lines from here on are about this file.
    pub fn begin(&mut self, file: String) {
        self.file = file;
    }

    /// Writes a line.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn put(&mut self, line: &Line) -> io::Result<()> {
        match self.format {
            Format::Text => writeln!(self.sink, "{}", line.to_text()),
            Format::Json => writeln!(self.sink, "{}", line.to_json(&self.file)),
        }
    }

    /// Writes what is wrong at a byte of the file, and remembers that something was.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn damaged(&mut self, position: u64, error: &dyn std::fmt::Display) -> io::Result<()> {
        self.damages += 1;
        self.put(&Line::new("damaged").with("position", position).with("error", error.to_string()))
    }

    /// How often something was damaged.
    pub fn damages(&self) -> u64 {
        self.damages
    }

    /// Sends everything.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn finish(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
