// SPDX-License-Identifier: Apache-2.0
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A server whose handler waits for something before it answers a byte: on the loop, or elsewhere.
 *
 * <pre>java Loops nio|netty sleep|file|lookup|free FIFO</pre>
 *
 * The loop is a java.nio Selector, or Netty's own. Its one client is the main thread, which sends a
 * byte and waits for the answer. With `free` all the waits are done by an executor; a while later the
 * client sends another byte, and when the loop has answered that one first, prints "free".
 */
final class Loops {
    private static final int SLEEP_MS = 300;
    private static final int FREE_MS = 1000;
    private static final byte WAIT = 1;
    private static final byte DO_NOT_WAIT = 2;

    private static String wait;
    private static String fifo;
    private static final ExecutorService executor = Executors.newSingleThreadExecutor();

    private static boolean wants(String one) {
        return wait.equals(one) || wait.equals("free");
    }

    /** What the handler does before it answers. */
    static void handlerWaits() {
        try {
            if (wants("sleep"))
                Thread.sleep(SLEEP_MS);
            if (wants("file"))
                readFile();
            if (wants("lookup"))
                InetAddress.getByName("localhost");
        } catch (InterruptedException | IOException exception) {
            throw new IllegalStateException(exception);
        }
    }

    private static void readFile() throws IOException {
        try (InputStream stream = new FileInputStream(fifo)) {
            if (stream.read() < 0)
                throw new IOException("nothing in the FIFO");
        }
    }

    /** Answers a byte now, or when the wait is over. */
    static void handle(byte request, Runnable answer) {
        if (request != WAIT) {
            answer.run();
            return;
        }
        Executor runner = wait.equals("free") ? executor : Runnable::run;
        runner.execute(() -> {
            handlerWaits();
            answer.run();
        });
    }

    private static void writeByte(SocketChannel channel, byte request) {
        try {
            channel.write(ByteBuffer.wrap(new byte[] {request}));
        } catch (IOException exception) {
            throw new IllegalStateException(exception);
        }
    }

    private static void serve(Selector selector, ServerSocketChannel server) throws Exception {
        while (true) {
            selector.select();
            for (SelectionKey key : selector.selectedKeys()) {
                if (key.isAcceptable()) {
                    SocketChannel accepted = server.accept();
                    accepted.configureBlocking(false);
                    accepted.register(selector, SelectionKey.OP_READ);
                    continue;
                }
                SocketChannel channel = (SocketChannel) key.channel();
                ByteBuffer buffer = ByteBuffer.allocate(1);
                if (channel.read(buffer) == 1)
                    handle(buffer.get(0), () -> writeByte(channel, buffer.get(0)));
                else
                    channel.close();
            }
            selector.selectedKeys().clear();
        }
    }

    private static int startNio() throws Exception {
        Selector selector = Selector.open();
        ServerSocketChannel server = ServerSocketChannel.open();
        server.bind(new InetSocketAddress("127.0.0.1", 0));
        server.configureBlocking(false);
        server.register(selector, SelectionKey.OP_ACCEPT);
        Thread loop = new Thread(() -> {
            try {
                serve(selector, server);
            } catch (Exception exception) {
                throw new IllegalStateException(exception);
            }
        }, "nio-loop");
        loop.setDaemon(true);
        loop.start();
        return server.socket().getLocalPort();
    }

    private static final class Answer extends SimpleChannelInboundHandler<ByteBuf> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf input) {
            while (input.isReadable()) {
                byte request = input.readByte();
                handle(request, () -> context.writeAndFlush(context.alloc().buffer().writeByte(request)));
            }
        }
    }

    private static int startNetty() throws Exception {
        NioEventLoopGroup group = new NioEventLoopGroup(1, task -> {
            Thread thread = new Thread(task, "netty-loop");
            thread.setDaemon(true);
            return thread;
        });
        SocketAddress bound = new ServerBootstrap()
            .group(group)
            .channel(NioServerSocketChannel.class)
            .childHandler(new ChannelInitializer<Channel>() {
                @Override
                protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(new Answer());
                }
            })
            .bind("127.0.0.1", 0).sync().channel().localAddress();
        return ((InetSocketAddress) bound).getPort();
    }

    private static void expect(InputStream input, int expected) throws IOException {
        int answer = input.read();
        if (answer != expected)
            throw new IOException("answer " + answer + ", not " + expected);
    }

    private static void expectFree(OutputStream output, InputStream input) throws Exception {
        Thread.sleep(FREE_MS);
        output.write(DO_NOT_WAIT);
        expect(input, DO_NOT_WAIT);
        System.out.println("free");
    }

    public static void main(String[] arguments) throws Exception {
        wait = arguments[1];
        fifo = arguments[2];
        int port = arguments[0].equals("nio") ? startNio() : startNetty();
        try (Socket client = new Socket("127.0.0.1", port)) {
            client.getOutputStream().write(WAIT);
            if (wait.equals("free"))
                expectFree(client.getOutputStream(), client.getInputStream());
            expect(client.getInputStream(), WAIT);
        }
        executor.shutdown();
    }
}
