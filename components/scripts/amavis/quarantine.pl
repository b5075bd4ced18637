# Mail that the filter keeps from people: one file for each message, as Amavis writes them (verdicts.conf).
#   quarantine.pl list               NAME MODIFIED BYTES HEADER for each, the oldest first; the header in base64
#   quarantine.pl release NAME       hands it to Postfix for whom it was meant; the file is gone once Postfix has it
#   quarantine.pl delete NAME        throws it away
#   quarantine.pl tidy DAYS BYTES    deletes what is older, then the oldest of what is too much
# Whoever sent a message has written its header and its text: neither says what is done with it. What went wrong is one
# sentence, and the exit code is 1.
use strict;
use warnings;
use Errno;
use Fcntl qw(:flock);
use IO::Socket::INET;
use MIME::Base64;

my $FOLDER = '/var/lib/quarantine';
my $NAME = qr/(?:virus|spam)-[A-Za-z0-9][A-Za-z0-9_-]{4,61}[A-Za-z0-9]/;
my $MOST = 16384;    # of a header, for a list
my $ADDRESS = qr/<(?:"(?:[^"\\]|\\.)*"|[^"<>\s])*>/s;
# Amavis writes these before everything else (RFC 5321 has no place for an envelope in a message).
my $OURS = qr/^(?:X-Envelope-(?:From|To|To-Blocked)|X-Quarantine-ID|Return-Path|Delivered-To):/i;

sub refuse { print STDERR "quarantine: @_\n"; exit 1 }

sub kept {
  opendir(my $folder, $FOLDER) or refuse("$FOLDER cannot be read: $!");
  my @found;
  for my $name (grep { /\A$NAME\z/ } readdir $folder) {
    my @about = lstat "$FOLDER/$name" or next;
    push @found, {name => $name, size => $about[7], time => $about[9]} if -f _;
  }
  return sort { $a->{time} <=> $b->{time} || $a->{name} cmp $b->{name} } @found;
}

sub opened {
  my ($name) = @_;
  refuse('that is no name of a kept message') if ($name // '') !~ /\A$NAME\z/;
  open(my $file, '<:raw', "$FOLDER/$name") or refuse("$name is not kept here any more");
  flock($file, LOCK_EX | LOCK_NB) or refuse("somebody else is about to release $name");
  return $file;
}

sub list {
  for my $each (kept()) {
    open(my $file, '<:raw', "$FOLDER/$each->{name}") or next;
    read($file, my $text, $MOST);
    $text =~ s/\n\r?\n.*/\n/s;
    print join(' ', @$each{qw(name time size)}, encode_base64($text, '')), "\n";
  }
}

# Its days may have been over this very moment.
sub gone {
  my ($name) = @_;
  unlink "$FOLDER/$name" or $!{ENOENT} or refuse("$name cannot be removed: $!");
}

sub tidy {
  my ($days, $room) = @_;
  my ($since, $crowded, $newest) = (time - $days * 86400, 0, '');
  for my $each (reverse kept()) {
    $room -= $each->{size};
    $newest ||= $each->{name};
    my $old = $each->{time} < $since;
    # The newest stays, however large it is: it was kept a moment ago.
    next if !$old && ($room >= 0 || $each->{name} eq $newest);
    unlink "$FOLDER/$each->{name}" or next;
    $crowded++ if !$old;
  }
  print STDERR "quarantine: there was no room for the oldest $crowded kept messages, which are deleted\n" if $crowded;
}

# The envelope, and the place behind it. Only the first lines are Amavis' own: Postfix' Received stands before all that a
# stranger writes.
sub envelope {
  my ($file) = @_;
  my (%said, $last, $rest);
  while (defined(my $line = <$file>)) {
    if ($line =~ /^[ \t]/ && defined $last) { $said{$last} .= $line }
    elsif ($line =~ $OURS) { ($last) = map { lc } $line =~ /^([^:]+):/; $said{$last} //= ''; $said{$last} .= $line =~ s/^[^:]+://r }
    else { $rest = tell($file) - length $line; last }
  }
  my ($sender) = ($said{'x-envelope-from'} // '') =~ /\A\s*($ADDRESS)\s*\z/;
  # A message for several may have been kept from some of them only.
  my $to = $said{'x-envelope-to-blocked'} // '';
  $to = $said{'x-envelope-to'} // '' if $to !~ /\S/;
  my @recipients = $to =~ /$ADDRESS/g;
  my $between = $to =~ s/$ADDRESS//gr;
  refuse('its file does not say from whom it came and for whom it is') if !defined $rest || !defined $sender || !@recipients || $between =~ /[^\s,]/;
  return ($sender, $rest, @recipients);
}

sub answer {
  my ($postfix) = @_;
  my ($code, @said);
  while (defined(my $line = <$postfix>)) {
    $line =~ s/\s+\z//;
    push @said, $line;
    ($code) = $line =~ /^(\d{3})(?: |\z)/ and return ($code, @said);
  }
  refuse('Postfix went away; the message is still kept');
}

sub asked {
  my ($postfix, $line, $good) = @_;
  print $postfix "$line\r\n" if defined $line;
  my ($code, @said) = answer($postfix);
  refuse("Postfix does not take it, so it is still kept: $said[-1]") if $code !~ $good;
  return @said;
}

sub release {
  my ($name) = @_;
  my $file = opened($name);
  my ($sender, $rest, @recipients) = envelope($file);
  # Where Amavis itself hands mail back.
  my $postfix = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 13025, Proto => 'tcp', Timeout => 30)
    or refuse("Postfix does not answer, so it is still kept: $!");
  binmode $postfix;
  $postfix->autoflush(1);
  local $SIG{PIPE} = 'IGNORE';
  local $SIG{ALRM} = sub { refuse('Postfix did not answer in time; the message is still kept') };
  alarm 100;
  asked($postfix, undef, qr/^220/);
  my %able = map { /^250[- ](\S+)/ ? (uc $1 => 1) : () } asked($postfix, 'EHLO localhost', qr/^250/);
  my $more = $able{'8BITMIME'} ? ' BODY=8BITMIME' : '';
  $more .= ' SMTPUTF8' if $able{SMTPUTF8} && grep { /[^\x00-\x7f]/ } $sender, @recipients;
  asked($postfix, "MAIL FROM:$sender$more", qr/^250/);
  asked($postfix, "RCPT TO:$_", qr/^25[01]/) for @recipients;
  asked($postfix, 'DATA', qr/^354/);
  seek($file, $rest, 0) or refuse("$name cannot be read: $!");
  while (defined(my $line = <$file>)) {
    $line =~ s/\r?\n?\z/\r\n/;
    $line =~ s/^\./../;
    print $postfix $line;
  }
  my @said = asked($postfix, '.', qr/^2/);
  # Postfix has it now, whatever becomes of this connection.
  print "$said[-1]\n";
  gone($name);
  print $postfix "QUIT\r\n";
}

my ($do, @with) = @ARGV;
my %known = (list => \&list, release => \&release, delete => sub { opened($_[0]); gone($_[0]) }, tidy => \&tidy);
refuse('say list, release, delete or tidy') if !defined $do || !$known{$do};
$known{$do}->(@with);
