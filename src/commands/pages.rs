//! `wxpush completions` and `wxpush man`: generate the documentation of the command line.

use clap::CommandFactory;

use crate::cli::{Cli, Completions, Man};
use crate::error::Exit;
use crate::output;
use crate::text::api as text;

/// Runs `completions`.
pub(super) fn completions(args: &Completions) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "wxpush", &mut script);
    output::bytes(&script)?;
    Ok(Exit::Sent)
}

/// Runs `man`.
pub(super) fn man(args: &Man) -> anyhow::Result<Exit> {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        output::bytes(&page)?;
        return Ok(Exit::Sent);
    };
    std::fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
        .map_err(|error| text::pages_unwritable(dir.display(), error))?;
    Ok(Exit::Sent)
}
