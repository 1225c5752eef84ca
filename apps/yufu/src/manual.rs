//! What the command line gives away about itself: completions for shells, and manual pages.

use crate::command_line::Arguments;
use crate::words::text;
use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Prints the completions for a shell.
pub(crate) fn completions(shell: Shell) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "yufu", &mut script);
    print(&script)
}

/// Prints the manual page, or writes those of all commands into a folder.
pub(crate) fn pages(folder: Option<&Path>) -> Result<ExitCode> {
    if let Some(folder) = folder {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        clap_mangen::generate_to(Arguments::command(), folder).with_context(|| {
            text!("{path}: the pages cannot be written", path = folder.display())
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
    print(&page)
}

/// Prints what may be long. That a pager stops reading is no failure.
pub(crate) fn print(text: &[u8]) -> Result<ExitCode> {
    match std::io::stdout().lock().write_all(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
