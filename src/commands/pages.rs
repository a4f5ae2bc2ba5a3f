//! `wxpush completions` and `wxpush man`: generate the documentation of the command line.

use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man as Man1;

use crate::cli::{self, Cli, Completions, Man};
use crate::config;
use crate::disk::{Dir, Writers};
use crate::error::Exit;
use crate::lang::{Lang, spoken};
use crate::output;
use crate::text::api as text;
use crate::text::help::{self, man as words};

/// The name of the first page.
const PAGE: &str = "wxpush.1";

/// The mode of a page.
const PAGE_MODE: u32 = 0o644;

/// Runs `completions`.
pub(super) fn completions(args: &Completions) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "wxpush", &mut script);
    output::bytes(&script)?;
    Ok(Exit::Sent)
}

/// Runs `man`.
pub(super) fn man(args: &Man) -> anyhow::Result<Exit> {
    let mut command = match spoken() {
        Lang::Zh => cli::chinese::command(),
        Lang::En => Cli::command(),
    };
    command.build();
    match &args.dir {
        None => output::bytes(&page(&command)?)?,
        Some(dir) => pages_at(dir)
            .and_then(|dir| write_pages(&command, &dir))
            .map_err(|error| text::pages_unwritable(dir.display(), error))?,
    }
    Ok(Exit::Sent)
}

/// Opens the directory of the pages; as root, none into which another user could have put a link.
fn pages_at(dir: &Path) -> io::Result<Dir> {
    let made = Dir::open(dir, Some(0o755))?;
    Ok(Dir::parent_of(&made.path_of(PAGE), Writers::Owner)?.0)
}

/// Writes the page of a command, and those of the commands below it.
fn write_pages(command: &clap::Command, dir: &Dir) -> io::Result<()> {
    for below in command.get_subcommands() {
        write_pages(below, dir)?;
    }
    let name = Man1::new(command.clone()).get_filename();
    dir.replace_with_mode(&name, &page(command)?, PAGE_MODE)
}

/// Returns the page of a command.
fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let man = Man1::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut page = String::from_utf8_lossy(&page).into_owned();
    if spoken() == Lang::Zh {
        for (english, chinese) in words::SECTIONS {
            page = page.replace(&format!(".SH {english}\n"), &format!(".SH {chinese}\n"));
        }
        for (english, chinese) in help::ENGLISH_MARKS {
            page = page.replace(english, chinese);
        }
    }
    let below = command.get_after_help().map(ToString::to_string);
    for (title, text) in sections(&below.unwrap_or_default()) {
        page.extend([".SH \"", title, "\"\n", &text]);
    }
    Ok(page.into_bytes())
}

/// Parts the text below a help into the sections of a page, and adds those of every page.
fn sections(below: &str) -> Vec<(&'static str, String)> {
    let begins = [words::examples_begin(), words::exit_begins()];
    let paragraphs = below.split("\n\n").filter(|text| !text.is_empty());
    let part = |text: &str| {
        let title = if text.starts_with(begins[1]) {
            words::exit_status()
        } else if text.contains(begins[0]) {
            words::examples()
        } else {
            words::notes()
        };
        let text = text.strip_prefix(begins[0]).unwrap_or(text);
        (title, as_it_is(text.trim_start_matches('\n')))
    };
    let mut all: Vec<_> = paragraphs.map(part).collect();
    all.sort_by_key(|(title, _)| *title != words::notes());
    if !all.iter().any(|(title, _)| *title == words::exit_status()) {
        all.push((words::exit_status(), as_it_is(words::see_main_page())));
    }
    let keys: Vec<&str> = config::keys().collect();
    let keys: Vec<String> = keys.chunks(4).map(|some| some.join(", ")).collect();
    all.push((words::environment(), as_it_is(words::environment_text())));
    all.push((words::files(), as_it_is(words::files_text())));
    all.push((words::keys(), as_it_is(&keys.join(",\n"))));
    all
}

/// Returns a text in roff that keeps its lines.
fn as_it_is(text: &str) -> String {
    let mut page = String::from(".nf\n");
    for line in text.lines() {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        if line.starts_with(['.', '\'']) {
            page.push_str("\\&");
        }
        page.push_str(&line);
        page.push('\n');
    }
    page + ".fi\n"
}
