//! Keeping the sender's own secret out of messages.

use super::ComposeError;
use crate::config::{Account, Settings};
use crate::file_slice::FileSlice;
use crate::message::Message;
use crate::secret::Secret;

/// Refuses messages that contain the secret: it must reach neither a phone nor, as a recipient's
/// name, the log.
///
/// # Errors
/// An error if the secret is in the recipients, the text, a message or a file.
pub(super) fn refuse(
    settings: &Settings,
    text: &str,
    messages: &[Message],
) -> Result<(), ComposeError> {
    let secret = settings.account.secret();
    let of_robot = matches!(settings.account, Account::Robot(_));
    if secret.is_in(&settings.to.describe()) {
        return Err(ComposeError::SecretInRecipients { of_robot });
    }
    if secret.is_in(text)
        || messages
            .iter()
            .any(|message| is_in_message(secret, message))
    {
        return Err(ComposeError::SecretInMessage { of_robot });
    }
    Ok(())
}

fn is_in_message(secret: &Secret, message: &Message) -> bool {
    let file = message.attachment.as_ref();
    file.is_some_and(|file| secret.is_in(&file.name) || is_in_file(secret, &file.bytes))
        || secret.is_in_bytes(&message.to_json())
}

/// Whether a file contains the secret verbatim.
fn is_in_file(secret: &Secret, file: &FileSlice) -> bool {
    let mut seen = Vec::new();
    file.pieces().flatten().any(|piece| {
        // The secret may span two pieces.
        let keep = seen.len().min(secret.expose().len());
        seen.drain(..seen.len() - keep);
        seen.extend_from_slice(&piece);
        secret.is_in_bytes(&seen)
    })
}
