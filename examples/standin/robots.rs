//! Group robots: the key is all they ask for, from whatever address; what is too long they refuse.

use std::time::{Duration, SystemTime};

use super::company::{Call, Company, Reply, accepted, within};
use super::fields::{Fields, open};
use super::media::Owner;
use super::phones::Landed;
use super::refusal::Refusal;
use super::road::Road;

/// The key of a new company's one robot; no eight of its characters occur anywhere by chance.
pub const ROBOT_KEY: &str = "6c1f0b9e-2a7d-4e85-93bc-d04f5a86e71b";

/// A robot in a group.
pub struct Robot {
    /// The name shown above its messages.
    pub name: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Bytes that a text may have: 2048 on WeCom's page, but 5120 as it was seen to check.
    pub text_most: usize,
    /// Messages in a minute, beyond which it refuses; those that fail count, too.
    pub per_minute: usize,
    /// The messages in its group, oldest first.
    pub landed: Vec<Landed>,
    calls: Vec<SystemTime>,
}

impl Robot {
    /// A robot whose group is still empty.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            enabled: true,
            text_most: 2048,
            per_minute: 20,
            landed: Vec::new(),
            calls: Vec::new(),
        }
    }
}

impl Company {
    /// The messages in a robot's group, oldest first.
    pub fn group(&self, key: &str) -> &[Landed] {
        self.robots.get(key).map_or(&[], |robot| &robot.landed)
    }

    /// `webhook/send`
    pub(super) fn send_to_group(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let (key, robot) = self.robot(call)?;
        let calls = robot.calls.iter().copied();
        if within(calls, call.now, Duration::from_mins(1)) >= robot.per_minute {
            return Err(Refusal::of(45009));
        }
        robot.calls.push(call.now);
        let robot_text = robot.text_most;
        let fields = open(call.body)?;
        let msgtype = Road::Robot.msgtype(&fields)?;
        let mut desk = self.desk(Road::Robot);
        desk.owner = Owner::Robot(key.clone());
        desk.robot_text = robot_text;
        let content = desk.read(fields, msgtype, call.now)?;
        let landed = Landed::new(call.now, 0, content);
        self.robots
            .entry(key)
            .and_modify(|robot| robot.landed.push(landed));
        Ok(accepted(Fields::new()))
    }

    /// `webhook/upload_media`
    pub(super) fn upload_to_group(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let (key, _) = self.robot(call)?;
        let fields = self
            .media
            .take(call, Owner::Robot(key), &["file", "voice"])?;
        Ok(accepted(fields))
    }

    fn robot(&mut self, call: &Call<'_>) -> Result<(String, &mut Robot), Refusal> {
        let key = call.query.get("key").cloned().unwrap_or_default();
        let robot = self.robots.get_mut(&key);
        let robot = robot.ok_or_else(|| Refusal::of(93000))?;
        if robot.enabled {
            Ok((key, robot))
        } else {
            Err(Refusal::of(93004))
        }
    }
}

#[cfg(test)]
mod tests;
