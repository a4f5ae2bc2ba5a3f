//! An app that falls back on a robot, and a company that stops trusting it.

use std::net::{IpAddr, Ipv4Addr};

use crate::standin::{ROBOT_KEY, Standin};
use crate::support::{Sandbox, texts, with_robot};

/// A sandbox whose app falls back on the robot.
pub(crate) fn with_fallback() -> (Standin, Sandbox) {
    let standin = Standin::start();
    let sandbox = with_fallback_on(&standin);
    (standin, sandbox)
}

/// The same, beside a stand-in that is there.
pub(crate) fn with_fallback_on(standin: &Standin) -> Sandbox {
    let sandbox = with_robot(standin);
    sandbox.configure("fallback = \"robots.ops\"");
    sandbox
}

/// What the robot's group reads.
pub(crate) fn group(standin: &Standin) -> Vec<String> {
    let company = standin.company();
    let landed = company.group(ROBOT_KEY).iter();
    landed.map(|landed| landed.text.clone()).collect()
}

/// Has WeCom trust this host's address, or another one.
pub(crate) fn trust(standin: &Standin, is_trusted: bool) {
    let other = [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))];
    standin.company().trusted_ips = (!is_trusted).then(|| other.to_vec());
}

/// Lets the robot send a thousand a minute.
pub(crate) fn unlimited(standin: &Standin) {
    let mut company = standin.company();
    company.robots.get_mut(ROBOT_KEY).unwrap().per_minute = 1000;
}

/// How often each road has shown a text.
pub(crate) fn shown(standin: &Standin, text: &str) -> usize {
    let count = |read: Vec<String>| read.concat().matches(text).count();
    count(texts(standin, "lisi")) + count(group(standin))
}
