<?php

// The few names of Laravel and Symfony by which the application's commands are called from PHP.

namespace Illuminate\Contracts\Console {
    interface Kernel
    {
        public function call($command, array $parameters = [], $outputBuffer = null);
    }
}

namespace Symfony\Component\Console\Output {
    class BufferedOutput
    {
        private string $text = '';

        public function write(string $text): void
        {
            $this->text .= $text;
        }

        public function fetch(): string
        {
            [$text, $this->text] = [$this->text, ''];
            return $text;
        }
    }
}
