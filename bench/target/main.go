// A target that costs next to nothing, so that a series measures the load generator. GET answers 200, POST 201, with a
// line of JSON; bodies are read. Prints its address; ends with its standard input.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	answer := []byte(`{"id":7,"title":"buy milk","done":false}`)
	handler := func(response http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body)
		response.Header()["Content-Type"] = []string{"application/json"}
		if request.Method == http.MethodPost {
			response.WriteHeader(http.StatusCreated)
		}
		_, _ = response.Write(answer)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Fprintln(os.Stderr, http.Serve(listener, http.HandlerFunc(handler)))
	os.Exit(1)
}
