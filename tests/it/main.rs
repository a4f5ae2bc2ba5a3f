//! What users rely on, tried on the built program against the stand-in, over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::wrong_self_convention,
    clippy::format_push_string,
    clippy::format_collect,
    clippy::case_sensitive_file_extension_comparisons,
    clippy::default_trait_access,
    reason = "a test that cannot go on has failed; claims chain; speed is no matter here"
)]

#[path = "../../examples/standin/mod.rs"]
mod standin;

mod support; // what the tests below share

mod api; // wxpush api: any call, what it prints and how it ends
mod api_faults; // api and recall: tokens refused, answers lost, networks down
mod article; // --long article: what it makes of texts, its cover, what is kept, hostile markdown
mod at_once; // a flush with several requests under way: order, refusals, kills, costs
mod attachments; // files of messages that wait: kept as they were, shown, uploaded anew
mod bare; // no /proc, roots with nothing or another system in them, other processors
mod batch; // batch: an answer for each line, order, kinds, wrong lines
mod batch_kept; // batch: what is kept, in which order, keys
mod batch_runs; // batch: reading ahead, signals, kills, memory, syncs
mod brokers; // examples/brokers: each message once, while consumers are killed
mod callback; // wxpush callback: WeCom's check, and all that is none
mod callers; // programs that call sendmail: cron, at, mail, PHP, git and others
mod chaos; // a WeCom that does all it can wrong, kills, and clocks that jump
mod check; // wxpush check: steps, receivers, what waits, a test message
mod check_backlog; // check of what waits, and its test message
mod check_faults; // check where networks, certificates, clocks, configs and disks are bad
mod check_receivers; // check of scope, receivers, profiles, robots
mod chinese; // whether what a person reads is Chinese, with no English left in it
mod clocks; // clocks on the wall that are wrong, and are set right
mod config; // precedence, profiles, receivers, secrets, every key
mod corpus; // collections of mails: nothing of their text is lost
mod costs; // system calls, syncs, connections, reads of a file, counted by strace
#[cfg(target_arch = "x86_64")]
mod crash; // kill -9 at every system call of send and flush
#[cfg(target_arch = "x86_64")]
mod crash_errors; // each system call of send and flush fails
#[cfg(target_arch = "x86_64")]
mod crash_fallback; // the same for a send that falls back on a robot
#[cfg(target_arch = "x86_64")]
mod crash_files; // the same for a send with a caption and a file
#[cfg(target_arch = "x86_64")]
mod crash_once; // the same for a merged flush, and for send --once
#[cfg(target_arch = "x86_64")]
mod crash_retry; // the same for outbox retry, and a flush beside a send that stands still
mod cron; // a real cron
mod crontab; // lines that reach wxpush through cron and a shell as they were typed
mod debris; // what killed programs and others leave in an outbox, and in which
mod delivery; // retries, refusals, partial delivery, lost answers
mod descriptors; // stdin, stdout and stderr closed, full or left by their reader
mod docs; // every command of README and docs/, in both languages
mod doubt; // lost answers: one copy at most, and equal alerts that are both wanted
mod encoding; // other encodings than UTF-8, and --splay
mod examples; // every file of examples/, and the example config
mod exits; // every exit code of the contract
mod explain; // explain: every code that WeCom lists, in both languages, several at once
mod fallback; // what an app cannot send goes by a robot: when, marked, once, by one of the two
mod fallback_faults; // outages, lost answers, kills, robots that refuse
mod fields; // long fields at WeCom's limits and past them
mod files; // modes, owners, and what is planted at our paths
mod fleets; // many hosts: the playbook and the relay of docs/
mod foreign; // root, and files of another user
mod handles; // root opens nothing of its own by a path
mod help; // help, manual pages, typos, locales, in both languages
mod hidden; // secrets in messages
mod holders; // entries and the ledger in hands that are stopped, killed or have no locks
mod hostile; // caches and answers that cannot be believed
mod http; // requests of other services, and webhooks, by curl
mod http_clients; // apprise, Alertmanager, systemd and inetd as clients and servers of http
mod http_faults; // requests that are broken, huge, slow or many; keys
mod http_lenient; // what is readable in odd requests to http is sent, and what their answers keep to themselves
mod http_strangers; // clients of http without patience, without a key, or with ways of their own
mod init; // init at a terminal: answers right and wrong, and none
mod init_files; // init: where it writes, what it keeps, the crontab
mod init_refused; // init at a terminal, where WeCom or the network says no
mod init_timer; // init on a machine with systemd and without cron
mod init_unattended; // init out of the environment: what is missing, what is there, exit codes
mod installer; // install.sh, by several shells
mod jobs; // jobs that run watches: alarms, reminders, returns
mod kinds; // every kind to every receiver: command line, JSON on the wire
mod large_files; // the largest, and larger ones: memory, room, what is cut; files that change meanwhile
mod ledgers; // too much for one member: the ledger held, linked, late or twice
mod limits; // files at WeCom's limits and past them
mod locks; // locks that are held or lost, paths with something in the way
mod log; // lines, levels, rotation, many writers, what cannot be written
mod log_cap; // a log that has reached its cap
mod log_faults; // logs that cannot be written, and what would forge a line
mod long; // messages past WeCom's limit
mod mail; // mails as they come: senders, names of files, what is too much
mod maildrop; // mail of users who may not read the config
mod maildrop_files; // what a user makes of his files in the maildrop
mod maildrop_refused; // what users mail and is refused holds up nothing of root's
mod maildrop_shares; // what one user leaves in the maildrop stops no other
mod maildrop_turns; // root's own goes first, then one mail of each user in turn
mod markup; // text from outside: its markup is shown, not obeyed
mod mistakes; // every way in which a config can be wrong, by line and key
mod network; // no network, silent name servers, addresses that swallow: in namespaces
mod nights; // days and nights in full length: watched jobs, reboots, quiet hours, changes of the clock
mod once; // send --once: one message for one key, whatever happens to who asks
mod order; // what overtakes what, and what a flush says of what it leaves
mod outbox; // what is kept, when it goes and in which order
mod outbox_commands; // list, show, retry, drop, flush and their exit codes
mod outbox_hostile; // numbers in state files that no clock or counter ever made
mod outbox_many; // very many entries, and some that cannot be changed
mod outbox_times; // lost answers, late and expired messages, clocks that jump
mod oversized; // messages to so many that no entry could hold them
mod pace; // backlogs: paced, in order, what is new first
mod package; // the .deb: installed, used, upgraded, removed, purged
mod packages; // the other packages, the tarball, what is made beside them
mod page; // the page of phones in a browser: each kind, and hostile ones
mod pages; // completions and manual pages, by real shells and man
mod phone; // what reaches the phone, in its language
mod pictures; // the pictures of the documents: what their terminals show
mod places; // where configs are found and state is kept, with anything in the way
mod planted; // what is none of ours at the outbox, and state among the files of others
mod poison; // one message that WeCom or a relay does not take, among others
mod poison_hours; // how long what does not pass waits
#[cfg(target_arch = "x86_64")]
mod power; // power cuts at every step, on a file system of its own
mod protection; // safe, names for ids, ordinary WeChat, options that clash
mod proxies; // HTTP, HTTPS and SOCKS proxies, from config and environment, that work or do not
mod qinglong; // QYWX_AM, QYWX_KEY and QYWX_ORIGIN
mod queue; // what is kept for a flush without a try, or is content to be kept
mod quiet; // quiet hours: held, urgent, the morning after
mod raw; // messages in WeCom's own JSON
mod readmes; // README and docs/: both languages agree, with each other and with the program; links
mod recall; // what it takes back, and what stays
mod receivers; // more than one request takes, and those that are not there
mod retries; // how often WeCom is asked while it does not answer well
mod robot_keys; // keys of group robots: missing, mistyped, never shown
mod robots; // group robots: pace, backlog, refusals
mod round_trips; // connections and round trips of a send
mod run; // run: exit codes, output, reports and when they come
mod run_faults; // run: broken configs, lost reports, daemons, outputs that are full or endless
mod run_left; // run: daemons left behind, and what is killed with wxpush
mod run_signals; // run: signals, and what the command inherits
mod run_texts; // run: output and titles in any encoding, default titles
mod scarce; // few descriptors, little memory, input without end
mod secrets; // faults at trace, /proc, core dumps, secrets typed as options
mod send; // kinds, options, stdin, long messages, dry run, JSON
mod sendmail; // mails on stdin, as sendmail takes them
mod servers; // answers that are rubbish, slow, endless, huge
mod signals; // SIGTERM, SIGINT, SIGHUP and SIGSTOP at the awkward moments
mod smtp; // sendmail -bs
mod soak; // senders, flushers and kills at once
mod spoken; // what people read of all this in Chinese
mod spoken_fields; // what the tables of limits find, in Chinese
mod spool; // an outbox with junk, damage, a full disk or fifty flushers in it
mod storm; // many that wait for the same receivers go together
mod supply; // dependencies: reasons, sources, bans
mod token; // one gettoken for all, revoked early, wrong secrets, clocks that jump
mod token_command; // what wxpush token tells and changes
mod trust; // TLS, authorities, redirects, relays, the source address
mod uncovered; // secrets that come to light once something is decoded, written over or shown
mod upload_command; // what wxpush upload prints, takes and says, and the bar at a terminal
mod upload_faults; // files that WeCom does not know any more, does not take or does not answer for
mod upload_stalls; // uploads on networks that are slow or dead
mod uploads; // uploads that are used again: by whom, how long, with anything in the way
mod uploads_at_once; // one file of many at once: one upload, even if any of them is killed or stopped
mod waiting; // a person who waits at a terminal, and ^C
