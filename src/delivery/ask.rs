//! API calls that send no message: uploads, recalls, and calls named by the user. A call that WeCom
//! may have processed is not retried.

use super::reason::Obstacle;
use super::retry::Tries;
use super::{Delivery, NotDelivered};
use crate::message::{Attachment, Channel};
use crate::uploads::UploadedMedia;
use crate::wecom::{ApiAnswer, ApiCall};

impl Delivery<'_> {
    /// Makes an API call given by the user, with the sender's credential.
    ///
    /// # Errors
    /// Why there is no answer from WeCom, and whether WeCom may have processed the call.
    pub(crate) fn ask(&self, call: &ApiCall) -> Result<ApiAnswer, NotDelivered> {
        self.once_passed(|tries| {
            let pass = self.pass(&mut tries.token)?;
            let (client, corpid) = (&self.sender.client, self.sender.corpid());
            let answer = client.ask(call, pass, corpid, self.deadline);
            answer.map_err(Obstacle::Call)
        })
    }

    /// Recalls a message.
    ///
    /// # Errors
    /// Why the recall failed, and whether WeCom may have processed it.
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
    /// Why the upload failed, and whether WeCom may have processed it.
    pub(crate) fn upload(
        &self,
        file: &Attachment,
        channel: Channel,
    ) -> Result<UploadedMedia, NotDelivered> {
        self.once_passed(|tries| self.uploaded(file, channel, &mut tries.token, || None))
    }

    /// Makes a call after a credential was obtained. Fetching the credential is retried; the call
    /// is not retried if WeCom may have processed it.
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
