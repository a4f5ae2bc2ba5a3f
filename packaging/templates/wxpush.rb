# For a Homebrew tap, on Linux: the release's static program.
class Wxpush < Formula
  desc "Sendmail of WeCom: put a message on a phone from a shell, a pipe or cron"
  homepage "@REPOSITORY@"
  version "@VERSION@"
  license "MIT"

  on_linux do
    on_intel do
      url "@REPOSITORY@/releases/download/v@VERSION@/wxpush-x86_64-unknown-linux-musl.tar.gz"
      sha256 "@SHA256 x86_64-unknown-linux-musl@"
    end
    on_arm do
      url "@REPOSITORY@/releases/download/v@VERSION@/wxpush-aarch64-unknown-linux-musl.tar.gz"
      sha256 "@SHA256 aarch64-unknown-linux-musl@"
    end
  end

  depends_on :linux

  def install
    bin.install "wxpush"
    man1.install Dir["man/*"]
    bash_completion.install "completions/wxpush.bash" => "wxpush"
    zsh_completion.install "completions/_wxpush"
    fish_completion.install "completions/wxpush.fish"
    pkgshare.install "examples", "config.example.toml", "THIRD-PARTY"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/wxpush --version")
  end
end
