use strict;
use warnings;
use Encode;
use MIME::Lite;
use utf8;

my $mail = MIME::Lite->new(
    From    => 'app',
    To      => 'root',
    Subject => encode('MIME-Header', 'perl 备份'),
    Type    => 'multipart/mixed',
);
$mail->attach(Type => 'TEXT', Data => "backup failed\n.\nend\n");
$mail->attach(Type => 'text/csv', Path => '/callers/report.csv', Disposition => 'attachment');
$mail->send or die;
