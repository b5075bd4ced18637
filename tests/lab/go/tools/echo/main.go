// echo tells a client which address it was seen with, over HTTP and UDP, and is such a client itself.
//
//	echo serve PORT[/udp] ...     answers "pod=NAME node=$NODE client=ADDRESS"
//	echo ask tcp|udp HOST:PORT    prints that answer; exit code 1 and the reason when there is none
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const patience = 2 * time.Second

func main() {
	switch {
	case len(os.Args) > 2 && os.Args[1] == "serve":
		fail(serve(os.Args[2:]))
	case len(os.Args) == 4 && os.Args[1] == "ask":
		answer, err := ask(os.Args[2], os.Args[3])
		fail(err)
		fmt.Println(answer)
	default:
		fail(fmt.Errorf("usage: echo serve PORT[/udp] ... | echo ask tcp|udp HOST:PORT"))
	}
}

func serve(ports []string) error {
	pod, _ := os.Hostname()
	answer := func(client string) string {
		host, _, _ := net.SplitHostPort(client)
		return fmt.Sprintf("pod=%s node=%s client=%s", pod, os.Getenv("NODE"), host)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, answer(r.RemoteAddr))
	})
	ended := make(chan error)
	for _, port := range ports {
		number, udp := strings.CutSuffix(port, "/udp")
		if udp {
			go func() { ended <- serveUDP(":"+number, answer) }()
		} else {
			go func() { ended <- http.ListenAndServe(":"+number, handler) }()
		}
	}
	return <-ended
}

func serveUDP(address string, answer func(string) string) error {
	socket, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	buffer := make([]byte, 512)
	for {
		_, client, err := socket.ReadFrom(buffer)
		if err != nil {
			return err
		}
		if _, err := socket.WriteTo([]byte(answer(client.String())), client); err != nil {
			return err
		}
	}
}

func ask(network, address string) (string, error) {
	if network == "tcp" {
		client := http.Client{Timeout: patience}
		response, err := client.Get("http://" + address + "/")
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return strings.TrimSpace(string(body)), err
	}
	connection, err := net.Dial("udp", address)
	if err != nil {
		return "", err
	}
	connection.SetDeadline(time.Now().Add(patience))
	if _, err := connection.Write([]byte("?")); err != nil {
		return "", err
	}
	buffer := make([]byte, 512)
	n, err := connection.Read(buffer)
	return string(buffer[:n]), err
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
