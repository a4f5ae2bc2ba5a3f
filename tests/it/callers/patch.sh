set -e
export GIT_AUTHOR_NAME=张三 GIT_AUTHOR_EMAIL=zhangsan@corp.cn
export GIT_COMMITTER_NAME=张三 GIT_COMMITTER_EMAIL=zhangsan@corp.cn
mkdir /callers/repository
cd /callers/repository
git init -q
printf 'one\n  two\n.\nthree\n' >a.txt
git add a.txt
git commit -qm first
printf 'one\n\ttwo 二\n.\n-- \nthree\n' >a.txt
git commit -qam 'fix: 缩进

正文'
git -c format.signature= format-patch -q -1
git send-email --quiet --confirm=never --suppress-cc=all --to=root ./*.patch </dev/null
