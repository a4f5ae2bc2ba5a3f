<?php
// A mail by SMTP on a pipe, as Symfony's SendmailTransport sends it.
$pipes = [];
$process = proc_open("/usr/sbin/sendmail -bs", [["pipe", "r"], ["pipe", "w"]], $pipes);

function expect(int $code, string $lines = ""): void
{
    global $pipes;
    fwrite($pipes[0], $lines);
    do {
        $reply = fgets($pipes[1]);
        if (!str_starts_with($reply, "$code")) {
            fwrite(STDERR, $reply);
            exit(1);
        }
    } while ($reply[3] === "-");
}

expect(220);
expect(250, "EHLO [127.0.0.1]\r\n");
expect(250, "MAIL FROM:<shop@example.com>\r\n");
expect(250, "RCPT TO:<ops@corp.cn>\r\n");
expect(354, "DATA\r\n");
expect(250, "To: ops@corp.cn\r\n"
    . "Subject: =?utf-8?Q?symfony_=E8=AE=A2=E5=8D=95?=\r\n"
    . "From: Shop <shop@example.com>\r\n"
    . "MIME-Version: 1.0\r\n"
    . "Content-Type: text/plain; charset=utf-8\r\n"
    . "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    . "=E5=B7=B2=E4=BB=98\r\n..\r\nend\r\n.\r\n");
expect(221, "QUIT\r\n");
exit(proc_close($process));
