import subprocess
from email.message import EmailMessage

mail = EmailMessage()
mail["Subject"] = "python 报表"
mail["From"] = "app"
mail["To"] = "运维 <root@localhost>"
mail.set_content("正文\n.\nend\n")
mail.add_alternative("<p>正文</p>", subtype="html")
mail.add_attachment(bytes(range(256)), maintype="application", subtype="octet-stream", filename="数据.bin")
subprocess.run(["/usr/sbin/sendmail", "-t", "-oi"], input=mail.as_bytes(), check=True)
