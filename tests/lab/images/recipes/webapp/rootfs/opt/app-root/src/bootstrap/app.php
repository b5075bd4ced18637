<?php

// The stand-in's application: its console is the stand-in's artisan, which takes what it gets from PHP on standard input.

use Illuminate\Contracts\Console\Kernel;

return new class {
    public function make(string $name): Kernel
    {
        if ($name !== Kernel::class) {
            throw new RuntimeException("Target class [$name] does not exist.");
        }
        return new class implements Kernel {
            public function call($command, array $parameters = [], $outputBuffer = null)
            {
                $pipes = [];
                $ends = [['pipe', 'r'], ['pipe', 'w'], ['redirect', 1]];
                $running = proc_open(['./artisan', '--called'], $ends, $pipes);
                fwrite($pipes[0], json_encode([$command, (object) $parameters]));
                fclose($pipes[0]);
                $outputBuffer->write(stream_get_contents($pipes[1]));
                fclose($pipes[1]);
                return proc_close($running);
            }
        };
    }
};
