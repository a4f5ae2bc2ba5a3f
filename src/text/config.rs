//! Words for what is wrong with a config.

// Noticed when a command begins.
texts! {
    others_can_read(path) =
        "{path} 里有密钥，而别人也能读它：chmod 600 {path}",
        "{path} holds a secret and others can read it: chmod 600 {path}";
    belongs_to_user(path, uid) =
        "{path} 属于用户 {uid}，此人能改动 root 发送的内容：以该用户运行 wxpush，或 chown root {path}",
        "{path} belongs to user {uid}, who can change what root sends: run wxpush as that user, or chown root {path}";
}
