# SPDX-License-Identifier: Apache-2.0
# AnyEvent with its own loop, in Perl, on select: see test_other_loops.py.
use strict;
use warnings;
use AnyEvent;

my ($kind, $path) = @ARGV;
my $end = AnyEvent->condvar;
my $turns = 5;    # a loop is known when it has turned
my ($watcher, $timer);
$| = 1;

sub read_configuration {
    open(my $file, '<', $path) or die "$path: $!";
    sysread($file, my $line, 100);
    $end->send;
}

sub free {
    open(my $file, '<', $path) or die "$path: $!";
    $end->begin;
    $watcher = AnyEvent->io(
        fh   => $file,
        poll => 'r',
        cb   => sub { sysread($file, my $line, 100); undef $watcher; $end->end });
    $end->begin;
    $timer = AnyEvent->timer(after => 1, cb => sub { print "free\n"; $end->end });
}

my $turn;
$turn = AnyEvent->timer(
    after    => 0.005,
    interval => 0.005,
    cb       => sub {
        return if --$turns > 0;
        undef $turn;
        $kind eq 'free' ? free() : read_configuration();
    });
$end->recv;
