//! The messages about wrong command lines.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::config::value::shown;
use crate::lang::spoken;

/// Returns what is wrong with a command line, with possible secrets hidden.
pub(crate) fn what(error: &clap::Error) -> String {
    let named = |kind| named(error, kind);
    let arg = || named(ContextKind::InvalidArg).unwrap_or_default();
    let source = || error.source().map(ToString::to_string);
    match error.kind() {
        ErrorKind::UnknownArgument if arg().starts_with('-') => no_option(arg()),
        ErrorKind::UnknownArgument => one_too_many(arg()),
        ErrorKind::InvalidSubcommand => {
            no_command(named(ContextKind::InvalidSubcommand).unwrap_or_default())
        }
        ErrorKind::MissingSubcommand => no_action_given(),
        ErrorKind::MissingRequiredArgument => missing(arg()),
        ErrorKind::InvalidValue => match named(ContextKind::InvalidValue) {
            Some(value) if !value.is_empty() => {
                let known = named(ContextKind::ValidValue).unwrap_or_default();
                not_one_of(bare(&arg()), value, known)
            }
            _ => needs_a_value(bare(&arg())),
        },
        ErrorKind::ValueValidation => {
            let why = source().unwrap_or_default();
            format!("{} {why}", bare(&arg()))
        }
        ErrorKind::TooManyValues => takes_no_value(bare(&arg())),
        ErrorKind::ArgumentConflict => match named(ContextKind::PriorArg) {
            Some(prior) if prior != arg() => conflict(bare(&arg()), bare(&prior)),
            _ => only_once(bare(&arg())),
        },
        ErrorKind::InvalidUtf8 => not_utf8(),
        _ => {
            let text = shown(&error.render().to_string());
            let first = text.lines().next().unwrap_or_default();
            first.trim_start_matches("error: ").to_owned()
        }
    }
}

/// Returns what clap says of a kind, joined.
fn named(error: &clap::Error, kind: ContextKind) -> Option<String> {
    let separator = spoken().of("、", ", ");
    match error.get(kind)? {
        ContextValue::String(one) => Some(shown(one)),
        ContextValue::Strings(all) => {
            let all: Vec<String> = all.iter().map(|one| shown(one)).collect();
            Some(all.join(separator))
        }
        _ => None,
    }
}

/// Returns an option without the name of its value.
fn bare(arg: &str) -> &str {
    let name = arg.split(' ').next().unwrap_or(arg);
    name.trim_end_matches("...")
}

texts! {
    no_option(arg) = "没有 {arg} 这个选项", "there is no option {arg}";
    one_too_many(arg) = "多了一个词：{arg}", "{arg} is one word too many";
    no_command(name) = "没有 {name} 这个命令", "there is no command {name}";
    no_command_given() = "没有写命令", "a command is missing";
    no_action_given() = "还要写明做什么", "what to do is missing";
    missing(args) = "缺少 {args}", "missing: {args}";
    not_one_of(arg, value, known) =
        "{arg} 不能是 {value}，可选：{known}", "{arg} cannot be {value}; it is one of {known}";
    needs_a_value(arg) = "{arg} 后面要有值", "{arg} needs a value";
    takes_no_value(arg) = "{arg} 后面没有值", "{arg} takes no value";
    conflict(arg, prior) = "{arg} 不能与 {prior} 一起用", "{arg} cannot be used with {prior}";
    only_once(arg) = "{arg} 只能写一次", "{arg} may be given only once";
    not_utf8() = "选项里有不是 UTF-8 的字符", "an option is not UTF-8";
    behind_dashes(line) = "命令要写在 -- 后面：{line}", "the command goes behind --: {line}";
    meant(line) = "要写的可能是：{line}", "perhaps you meant: {line}";
    see_help(command) = "用法见 wxpush help{command}", "see wxpush help{command}";
}
