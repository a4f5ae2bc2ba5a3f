//! `wxpush completions` and `wxpush man`: what the command line says of itself, for shells and `man`.

use std::path::Path;

use clap::CommandFactory;

use crate::cli::{Cli, Completions, Man};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::output;

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
        .map_err(|error| cannot(dir, &error))?;
    Ok(Exit::Sent)
}

fn cannot(dir: &Path, error: &std::io::Error) -> Failure {
    let dir = dir.display();
    let what = say!(
        "手册页无法写入 {dir}：{error}",
        "the pages cannot be written to {dir}: {error}"
    );
    let hint = spoken().of("换一个可写的目录", "name a directory that you may write to");
    Failure::new(Exit::Io, what).hint(hint)
}
