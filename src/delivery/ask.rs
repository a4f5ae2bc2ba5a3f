//! Calls that are no messages: an upload, a recall, any call of the API. What WeCom may have done is
//! not asked for again.

use super::reason::Obstacle;
use super::retry::Tries;
use super::{Delivery, NotDelivered};
use crate::message::{Attachment, Channel};
use crate::uploads::UploadedMedia;
use crate::wecom::{ApiAnswer, ApiCall};

impl Delivery<'_> {
    /// Makes a call that a user names, with a token.
    ///
    /// # Errors
    /// Why there is no answer of WeCom's, and whether it may have done it all the same.
    pub(crate) fn ask(&self, call: &ApiCall) -> Result<ApiAnswer, NotDelivered> {
        self.once_passed(|tries| {
            let pass = self.pass(&mut tries.token)?;
            let (client, corpid) = (&self.sender.client, self.sender.corpid());
            let answer = client.ask(call, pass, corpid, self.deadline);
            answer.map_err(Obstacle::Call)
        })
    }

    /// Takes a message back.
    ///
    /// # Errors
    /// Why WeCom has not, and whether it may have all the same.
    pub(crate) fn recall(&self, msgid: &str) -> Result<(), NotDelivered> {
        self.once_passed(|tries| {
            let pass = self.pass(&mut tries.token)?;
            let client = &self.sender.client;
            let recalled = client.recall(pass, msgid, self.deadline);
            recalled.map_err(Obstacle::Call)
        })
    }

    /// Uploads a file, unless WeCom has it already.
    ///
    /// # Errors
    /// Why WeCom has not taken it, and whether it may have all the same.
    pub(crate) fn upload(
        &self,
        file: &Attachment,
        channel: Channel,
    ) -> Result<UploadedMedia, NotDelivered> {
        self.once_passed(|tries| self.uploaded(file, channel, &mut tries.token))
    }

    /// Does something with a token at hand: to fetch one is no part of it, and may be tried again.
    fn once_passed<T>(
        &self,
        mut call: impl FnMut(&mut Tries) -> Result<T, Obstacle>,
    ) -> Result<T, NotDelivered> {
        let patient = Delivery {
            resends: true,
            watching: None,
            ..*self
        };
        patient.retry(patient.tries(None), |tries| {
            patient.pass(&mut tries.token).map(drop)
        })?;
        self.retry(self.tries(None), |tries| {
            let result = call(tries);
            if let Err(Obstacle::Call(error)) = &result {
                tries.outcome_unknown = error.outcome_unknown();
            }
            result
        })
    }
}
