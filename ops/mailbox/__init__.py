"""One mailbox out of a backup of everybody's mail, brought back beside the living one."""
