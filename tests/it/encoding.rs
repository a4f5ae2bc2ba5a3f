//! Input that is not UTF-8 by its own wish, and sends that wait a while.

use crate::support::{set_up, texts};

#[test]
fn what_is_said_to_be_gbk_is_read_as_that() {
    let (standin, sandbox) = set_up();
    let gbk = b"\xb4\xc5\xc5\xcc\xd2\xd1\xc2\xfa\n";
    let run = |args: &str| sandbox.wxpush(args).stdin(gbk.to_vec()).run();
    run("send --to lisi --encoding gbk").is_silent();
    run("send --to lisi --encoding GB18030 -t df").is_silent();
    run("send --to lisi --encoding big5 --dry-run").exits(0);
    run("send --to lisi").exits(0).says("not UTF-8");
    let phone = texts(&standin, "lisi");
    assert_eq!(&phone[..2], ["磁盘已满", "df\n磁盘已满"]);
    let cut = sandbox
        .wxpush("send --to lisi --encoding gbk")
        .stdin(*b"ok \xb4");
    cut.exits(0)
        .says("1 characters of the input are not what --encoding says");
    assert_eq!(texts(&standin, "lisi").pop().unwrap(), "ok \u{fffd}");
    run("send --encoding gbkk").exits(64).says("gb18030");
}

#[test]
fn a_send_waits_a_while_if_it_is_asked_to_and_a_dry_run_does_not() {
    let (standin, sandbox) = set_up();
    sandbox.wxpush("send --splay 1h --dry-run x").exits(0);
    sandbox.wxpush("send --splay 1s --to lisi x").is_silent();
    assert_eq!(texts(&standin, "lisi"), ["x"]);
    // A random time up to 5000 years is over at once by no chance that anybody has.
    let mut waits = sandbox.wxpush("send --splay 1825000d --to lisi y").start();
    while !sandbox.read("wxpush.log").contains("waiting, by --splay") {
        std::thread::yield_now();
    }
    assert!(waits.child.try_wait().unwrap().is_none());
    waits.child.kill().unwrap();
    waits.child.wait().unwrap();
    assert_eq!(texts(&standin, "lisi").len(), 1);
}
