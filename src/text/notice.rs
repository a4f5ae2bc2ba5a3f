//! Words for notices of the rooms below.

use crate::notice::Notice;

/// Warns of what a room below has noticed.
pub(crate) fn warn(notice: &Notice<'_>) {
    let text = match notice {
        Notice::TokenCacheUnusable { path, error } => token_cache_unusable(path.display(), error),
    };
    tracing::warn!("{text}");
}

texts! {
    token_cache_unusable(path, error) =
        "token 缓存 {path} 用不了，不用缓存，继续运行：{error}",
        "the token cache {path} cannot be used, going on without it: {error}";
}
